// SPDX-License-Identifier: Apache-2.0

package import SenteBase

/// A library of the system that is loaded at run time, and stays loaded.
package struct SharedLibrary {
    /// What an attempt to load came to; the text is the system's (dlerror(3)).
    package enum Attempt {
        case loaded(UnsafeMutableRawPointer)
        case failed(String)
    }

    private let handle: UnsafeMutableRawPointer

    /// Loads the first of `names` that is there; nil when none is.
    ///
    /// Throws `.unavailable` when only descriptors or memory were wanting: then nobody knows what is there. Tests load with something
    /// else than the system.
    package init?(
        _ names: [String], load: (String) -> Attempt = SharedLibrary.load
    ) throws(LinkFailure) {
        for name in names {
            // The dynamic linker of glibc keeps for the life of the process that it could not open its cache.
            try Platform.needDescriptor(for: "Loading \(name)")
            switch load(name) {
            case .loaded(let handle):
                self.handle = handle
                return
            case .failed(let text):
                let shortage = Platform.shortages.first { text.contains(String(cString: strerror($0))) }
                if let shortage { throw Platform.failure(shortage, "Loading \(name)") }
            }
        }
        return nil
    }

    /// A function of the library, or of one that it depends on; nil when there is none of that name.
    func function<F>(_ name: String, as type: F.Type = F.self) -> F? {
        dlsym(handle, name).map { unsafeBitCast($0, to: F.self) }
    }

    package static func load(_ name: String) -> Attempt {
        if let handle = dlopen(name, RTLD_NOW | RTLD_LOCAL) { return .loaded(handle) }
        return .failed(dlerror().map { String(cString: $0) } ?? "")
    }
}
