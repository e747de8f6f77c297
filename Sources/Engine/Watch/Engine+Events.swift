package import EventJournal
internal import Failure
internal import LaunchPlan
internal import LinuxSystem

extension Engine {
    package var journal: EventJournal { EventJournal(root: rootPath) }

    /// Writes that something happened to a container. It keeps nobody from anything.
    package func tell(_ action: String, _ record: ContainerRecord, _ extra: [Event.Attribute] = []) {
        journal.append(event(action, record, extra))
    }

    package func tell(
        _ kind: Event.Kind, _ action: String, _ id: String, _ attributes: [Event.Attribute] = []
    ) {
        journal.append(
            Event(
                time: Timestamp.now().nanosecondsSinceEpoch, kind: kind, action: action, id: id,
                attributes: attributes))
    }

    /// - Parameters:
    ///   - id: an image's id or reference, as docker has it for the action.
    ///   - name: the image's, as people write it.
    package func tellImage(_ action: String, _ id: String, name: String) {
        tell(.image, action, id, [Event.Attribute("name", name)])
    }

    func tellVolume(_ action: String, _ name: String) {
        tell(.volume, action, name, [Event.Attribute("driver", "local")])
    }

    func event(_ action: String, _ record: ContainerRecord, _ extra: [Event.Attribute] = []) -> Event {
        Event(
            time: Timestamp.now().nanosecondsSinceEpoch, kind: .container, action: action, id: record.id,
            attributes: record.eventAttributes + extra)
    }
}

extension ContainerRecord {
    /// With docker's attributes of a volume's mount.
    var mountedVolumes: [MonitorPlan.MountedVolume] {
        if settings.mounts.isEmpty { return [] }
        return mounts.filter { $0.kind == .volume }.map { mount in
            MonitorPlan.MountedVolume(
                name: mount.source,
                attributes: Event.encoded([
                    Event.Attribute("container", id), Event.Attribute("destination", mount.target),
                    Event.Attribute("driver", "local"),
                    Event.Attribute("propagation", mount.propagation),
                    Event.Attribute("read/write", mount.isReadOnly ? "false" : "true"),
                ]))
        }
    }

    /// As docker has them: the labels, the image as it was named, the name.
    var eventAttributes: [Event.Attribute] {
        var attributes = [Event.Attribute("image", image), Event.Attribute("name", name)]
        for label in settings.labels {
            let key = label.prefix { $0 != "=" }
            attributes.append(Event.Attribute(String(key), String(label.dropFirst(key.count + 1))))
        }
        return attributes
    }
}
