import FoundationEssentials

/// Where the command was called.
enum CurrentDirectory {
  static var path: String { FileManager.default.currentDirectoryPath }

  /// A path of the command line as an absolute one.
  static func absolute(_ path: String) -> String {
    path.hasPrefix("/") ? path : self.path + "/" + path
  }
}
