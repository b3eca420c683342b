enum ServiceURL { static func isLoopback(_ host: String) -> Bool { false } }
