/// What `run` and `create` ask for, before the image is known.
package struct CreateRequest: Sendable {
    package enum PullPolicy: String, Sendable { case always, missing, never }

    package var image: String
    package var platform: String?
    package var pull = PullPolicy.missing
    /// No word of a pull.
    package var quiet = false
    /// nil: a generated one.
    package var name: String?
    /// The flags' part of the settings; what the image says is folded in by `create`.
    package var settings = ContainerSettings()
    /// The words after the image.
    package var arguments: [String] = []
    /// nil: the image's; empty: none.
    package var entrypoint: String?
    /// NAME=VALUE, or a NAME alone that unsets what the image sets.
    package var environment: [String] = []
    /// Names that the image sets and the container is not to have.
    package var unsetEnvironment: [String] = []
    /// Nothing of what the image sets.
    package var unsetsImageEnvironment = false
    /// NAME=VALUE below what the image sets: `--env-host`.
    package var hostEnvironment: [String] = []
    package enum ImageVolumes: String, Sendable { case anonymous, bind, tmpfs, ignore }
    /// What becomes of the image's VOLUMEs.
    package var imageVolumes = ImageVolumes.anonymous
    /// Names of containers that are started first.
    package var requires: [String] = []
    /// The container that has the name goes first.
    package var replaces = false
    package var volumes: [String] = []
    package var mounts: [String] = []
    package var temporary: [String] = []
    package var volumesFrom: [String] = []
    /// Written with the id once the container is made; must not exist.
    package var idFile: String?

    package init(image: String) { self.image = image }
}
