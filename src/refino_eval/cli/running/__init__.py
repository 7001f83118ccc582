"""Running an evaluation: the run and the watch, the job server, locks, what is up to date, times and faults of stages."""
