// swift-tools-version: 6.2
import PackageDescription

let package = Package(
  name: "moontide",
  targets: [
    .target(
      name: "Scripting", dependencies: ["LuaLibrary", "LuaHost", "Ingestion", "Workspace", "FileSessions", "Digests"]
    ),
    .target(name: "LuaLibrary", dependencies: ["LuaHost", "Workspace", "FileSessions", "Digests"]),
    .target(name: "Ingestion", dependencies: ["Workspace", "FileSessions", "Digests"]),
    .target(name: "LuaHost", dependencies: ["CLuaBridge"]),
    .target(name: "CLuaBridge", dependencies: ["CLua"]),
    .target(name: "Workspace", dependencies: ["CMagic"]),
    .target(name: "FileSessions"),
    .target(name: "Digests", dependencies: ["COpenSSL"]),

    .systemLibrary(name: "CLua", pkgConfig: "lua5.4", providers: [.apt(["liblua5.4-dev"])]),
    .systemLibrary(name: "CMagic", pkgConfig: "libmagic", providers: [.apt(["libmagic-dev"])]),
    .systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),

    .target(
      name: "ScriptTestSupport", dependencies: ["LuaLibrary", "LuaHost", "Workspace", "FileSessions"],
      path: "Tests/ScriptTestSupport"),
    .testTarget(name: "LuaLibraryTests", dependencies: ["ScriptTestSupport", "LuaLibrary"]),
    .testTarget(name: "ScriptingTests", dependencies: ["ScriptTestSupport", "Scripting"]),
  ],
  swiftLanguageModes: [.v6]
)
