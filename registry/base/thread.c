#include "registry/base/thread.h"

#include <signal.h>

int thread_start(pthread_t *out, void *(*run)(void *context), void *context)
{
	static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT};
	sigset_t blocked, before;

	sigfillset(&blocked);
	for (size_t i = 0; i < sizeof(faults) / sizeof(*faults); i++)
		sigdelset(&blocked, faults[i]);
	/* A new thread inherits the mask; set before, there is no moment without it. */
	pthread_sigmask(SIG_SETMASK, &blocked, &before);
	int errnum = pthread_create(out, NULL, run, context);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return errnum;
}
