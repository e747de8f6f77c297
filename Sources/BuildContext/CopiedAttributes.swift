internal import LinuxSystem

/// The extended attributes that a copy carries, which are those that its key counts: not those that say how this machine
/// guards the file (`security.*`, access lists), and not overlay's marks, which are the file system's. Capabilities are the
/// program's own.
enum CopiedAttributes {
    struct Attribute {
        let name: String
        let value: [UInt8]
    }

    static func isCopied(_ name: String) -> Bool {
        if name.hasPrefix("user.") { return !name.hasPrefix("user.overlay.") }
        if name.hasPrefix("trusted.") { return !name.hasPrefix("trusted.overlay.") }
        return name == "security.capability"
    }

    static func read(_ file: borrowing FileDescriptor) throws(SystemError) -> [Attribute] {
        let names: [String]
        do throws(SystemError) {
            names = try ExtendedAttributes.names(of: file)
        } catch {
            if error.isUnsupported { return [] }
            throw error
        }
        if names.isEmpty { return [] }
        var attributes: [Attribute] = []
        for name in names where isCopied(name) {
            if let value = try ExtendedAttributes.value(name, of: file) {
                attributes.append(Attribute(name: name, value: value))
            }
        }
        return attributes
    }

    /// Of what must not be opened.
    static func read(_ name: RawPath, in directory: Int32) throws(SystemError) -> [Attribute] {
        let names: [String]
        do throws(SystemError) {
            names = try ExtendedAttributes.names(of: name, in: directory)
        } catch {
            if error.isUnsupported { return [] }
            throw error
        }
        var attributes: [Attribute] = []
        for attribute in names where isCopied(attribute) {
            if let value = try ExtendedAttributes.value(attribute, of: name, in: directory) {
                attributes.append(Attribute(name: attribute, value: value))
            }
        }
        return attributes
    }

    static func write(_ attributes: [Attribute], on file: borrowing FileDescriptor) throws(SystemError) {
        for attribute in attributes {
            do throws(SystemError) {
                try ExtendedAttributes.set(attribute.name, attribute.value, on: file)
            } catch {
                try checkTolerable(error, attribute.name)
            }
        }
    }

    static func write(_ attributes: [Attribute], on name: RawPath, in directory: Int32) throws(SystemError) {
        for attribute in attributes {
            do throws(SystemError) {
                try ExtendedAttributes.set(attribute.name, attribute.value, on: name, in: directory)
            } catch {
                try checkTolerable(error, attribute.name)
            }
        }
    }

    /// A file system without such attributes loses them, as docker has it; but a program without its capabilities would
    /// be a different program.
    private static func checkTolerable(_ error: SystemError, _ name: String) throws(SystemError) {
        guard name != "security.capability", error.isUnsupported || error.isNotPermitted else { throw error }
    }
}
