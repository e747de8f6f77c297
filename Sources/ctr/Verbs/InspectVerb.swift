import CommandTable
import Engine
import Failure
import Front
import LinuxSystem

/// `ctr inspect`: what is found under each name, as one JSON array or by --format line by line.
enum InspectVerb {
    static func perform(_ command: ParsedCommand, _ engine: Engine) throws(Failure) -> Int32 {
        let type =
            switch command.verb {
            case .containerInspect: "container"
            case .imageInspect: "image"
            default: command.value(.type)
            }
        let withSize = command.has(.size) && command.flag(.size)
        return try show(command, command.positionals) { (word) throws(Failure) in
            try value(word, type: type, withSize: withSize, engine)
        }
    }

    /// Docker's order: a container, an image, a network, a volume of that name.
    private static func value(
        _ word: String, type: String?, withSize: Bool, _ engine: Engine
    ) throws(Failure) -> TemplateValue {
        if type == nil || type == "container" {
            do throws(Failure) {
                let record = try engine.container(word)
                return ContainerInspection.value(
                    try engine.summary(of: record), sizes: withSize ? try engine.sizes(of: record) : nil,
                    engine)
            } catch {
                guard type == nil, error.code == .notFound || error.code == .invalidArgument else {
                    throw error
                }
            }
        }
        if type == nil || type == "image" {
            do throws(Failure) {
                return ImageInspection.value(try engine.inspectImage(word))
            } catch {
                guard type == nil, error.code == .notFound || error.code == .invalidArgument else {
                    throw error
                }
            }
        }
        if type == nil || type == "network" {
            do throws(Failure) {
                return NetworkInspection.value(try engine.network(word), try engine.networkMembers())
            } catch {
                guard type == nil, error.code == .notFound || error.code == .invalidArgument else {
                    throw error
                }
            }
        }
        do throws(Failure) {
            return VolumeInspection.value(try engine.volume(word))
        } catch {
            guard type == nil else { throw error }
            throw Failure(.notFound, "No such object: \(word)")
        }
    }

    /// What was found is printed even when another name was not.
    static func show(
        _ command: ParsedCommand, _ words: [String], _ find: (String) throws(Failure) -> TemplateValue
    ) throws(Failure) -> Int32 {
        let template: Template? = try command.value(.format).flatMap { (text) throws(Failure) in
            text.isEmpty ? nil : try Template(text, escapes: false)
        }
        var found: [TemplateValue] = []
        let code = Program.each(words, verb: command.verb, debug: command.flag(.debug)) {
            (word) throws(Failure) in
            let value = try find(word)
            if let template { Console.out(try template.text(of: value) + "\n") }
            found.append(value)
        }
        if template == nil { Console.out(TemplateValue.array(found).json(indent: "    ") + "\n") }
        return code
    }
}

enum VolumeInspection {
    static func value(_ volume: VolumeSummary) -> TemplateValue {
        .object([
            .init("CreatedAt", .string(TimeText.rfc3339(volume.created))),
            .init("Driver", "local"),
            .init("Labels", .labels(LabelList.map(volume.labels))),
            .init("Mountpoint", .string(volume.mountpoint)),
            .init("Name", .string(volume.name)),
            .init("Options", .labels(LabelList.map(volume.options))),
            .init("Owner", .string(volume.owner)),
            .init("Scope", "local"),
            .init("UsedBy", .strings(volume.users)),
        ])
    }
}

enum ImageInspection {
    static func value(_ image: ImageDetails) -> TemplateValue {
        let settings = image.settings
        return .object([
            .init("Id", .string(image.id)),
            .init("RepoTags", .strings(image.tags)),
            .init("RepoDigests", .strings(image.repoDigests)),
            .init("Created", .string(image.created)),
            .init("Author", .string(image.author)),
            .init("Comment", .string(image.comment)),
            .init("Architecture", .string(image.architecture)),
            .init("Variant", .string(image.variant)),
            .init("Os", .string(image.os)),
            .init("Size", .integer(image.size)),
            .init("Config", ImageSettingsInspection.value(settings)),
            .init(
                "RootFS",
                .object([.init("Type", "layers"), .init("Layers", .strings(image.diffIDs))])),
            .init(
                "Descriptor",
                .object([
                    .init("mediaType", .string(image.mediaType)),
                    .init("digest", .string(image.manifestDigest)),
                    .init("size", .integer(image.manifestSize)),
                ])),
        ])
    }
}
