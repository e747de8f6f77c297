/// What `import` is asked for.
package struct ImportRequest: Sendable {
    /// A file's path, or `-` for standard input.
    package var source: String
    /// nil: an image without a name.
    package var reference: String?
    /// Dockerfile instructions, one each.
    package var changes: [String] = []
    package var message: String?
    package var platform: String?

    package init(source: String) { self.source = source }
}
