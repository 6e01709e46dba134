/* The program: all of it is in `cli`. */
#include "cli/cli.h"

int main(int argc, char **argv) {
    return rl_cli_main(argc, argv);
}
