import ArgumentParser

struct Run: AsyncParsableCommand { func run() async throws {} }
struct Exec: AsyncParsableCommand { func run() async throws {} }
