#include <signal.h>

#include "command/core/dispatch.h"

int main(int argc, char **argv)
{
	/* A peer that went away is an error of that write, not the end of us. */
	signal(SIGPIPE, SIG_IGN);
	return dispatch(argc, argv);
}
