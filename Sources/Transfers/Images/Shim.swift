package import Engine
package import Failure
package import ImageStore
extension Engine {
    package func withBlobs(_ image: ImageRecord, lease: Lease, progress: any Progress = SilentProgress()) throws(Failure) -> ImageRecord { image }
}
