// swift-tools-version: 6.2
import PackageDescription

let package = Package(
  name: "moontide",
  targets: [
    .systemLibrary(name: "CLua", pkgConfig: "lua5.4", providers: [.apt(["liblua5.4-dev"])]),
    .target(name: "CLuaBridge", dependencies: ["CLua"]),
    .target(name: "LuaHost", dependencies: ["CLuaBridge"]),
    .target(name: "CLuaBench", dependencies: ["CLua"]),
    .executableTarget(name: "LuaBench", dependencies: ["LuaHost", "CLuaBench"]),
    .testTarget(name: "LuaHostTests", dependencies: ["LuaHost", "CLuaBridge"]),
  ],
  swiftLanguageModes: [.v6]
)
