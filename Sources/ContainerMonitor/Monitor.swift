/// What lives beside a container.
package enum Monitor {
    package static func main() {}
}
