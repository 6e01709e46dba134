/* Linked into the program in sanitizer builds alone: Open MPI unloads its components before the leak report, which then
 * cannot name them. Kept loaded, each of their leaks has a library to be suppressed by (lsan.supp). */
int dlclose(void *handle);

int dlclose(void *handle) {
    (void)handle;
    return 0;
}
