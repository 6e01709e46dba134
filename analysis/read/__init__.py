"""What is read from files, and what can be said of it without a picture. No matplotlib here."""
