// Synchronous: a top-level await would start the concurrency runtime on every start. Verbs of the network start
// their own tasks.
Program.end(Program.run(Array(CommandLine.arguments.dropFirst())))
