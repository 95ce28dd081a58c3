using NamedPipeShim.Tests.Support;

// One test at a time: they count handles and bytes of the process, and some need a core for each of their threads.
[assembly: NonParallelizable]
[assembly: Watchdog]
