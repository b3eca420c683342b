// swift-tools-version: 6.2
import PackageDescription

let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")

let package = Package(
  name: "moontide",
  dependencies: [
    .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0")
  ],
  targets: [
    .target(name: "Ingestion", dependencies: ["Workspace", "FileSessions", "Digests"]),
    .target(name: "SQLiteLedger", dependencies: ["Ingestion", "SQLiteStore", grdb]),
    .target(name: "SQLiteStore", dependencies: [grdb]),
    .target(name: "Workspace", dependencies: ["CMagic"]),
    .target(name: "FileSessions"),
    .target(name: "Digests", dependencies: ["COpenSSL"]),

    .systemLibrary(name: "CMagic", pkgConfig: "libmagic", providers: [.apt(["libmagic-dev"])]),
    .systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),

  ]
)
