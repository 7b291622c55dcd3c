#include "runner/cli/cli.h"

int main(int argc, char** argv) { return drydock::runner::run_cli(argc, argv); }
