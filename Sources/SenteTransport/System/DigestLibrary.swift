// SPDX-License-Identifier: Apache-2.0

package import SenteBase

/// SHA-256 by the system's OpenSSL, loaded at run time, which uses the processor's instructions for it.
///
/// The functions have the names of their manual pages.
package final class DigestLibrary: Sendable {
    #if canImport(Darwin)
    package static let names = [
        "libcrypto.3.dylib", "/opt/homebrew/opt/openssl@3/lib/libcrypto.3.dylib",
        "/usr/local/opt/openssl@3/lib/libcrypto.3.dylib",
    ]
    #else
    package static let names = ["libcrypto.so.3", "libcrypto.so.1.1"]
    #endif

    /// The library, loaded once it is there; ask off the loop.
    package static var shared: Result<DigestLibrary, LinkFailure> {
        made.result { () throws(LinkFailure) in try DigestLibrary(names: names) }
    }
    private static let made = MadeOnce<DigestLibrary>()

    typealias Begin = @convention(c) (OpaquePointer, OpaquePointer?, OpaquePointer?) -> Int32
    typealias Update = @convention(c) (OpaquePointer, UnsafeRawPointer?, Int) -> Int32
    typealias Finish =
        @convention(c) (OpaquePointer, UnsafeMutablePointer<UInt8>, UnsafeMutablePointer<UInt32>?) -> Int32

    fileprivate let EVP_MD_CTX_new: @convention(c) () -> OpaquePointer?
    fileprivate let EVP_MD_CTX_free: @convention(c) (OpaquePointer) -> Void
    fileprivate let EVP_sha256: @convention(c) () -> OpaquePointer?
    fileprivate let EVP_DigestInit_ex: Begin
    fileprivate let EVP_DigestUpdate: Update
    fileprivate let EVP_DigestFinal_ex: Finish

    /// OPENSSL_init_crypto(3): the library would take itself apart when the program exits, under the loop's feet.
    private static let withoutExitHandler: UInt64 = 0x80000

    /// Loads the first of the libraries that is there; it stays loaded.
    package init(
        names: [String], load: (String) -> SharedLibrary.Attempt = SharedLibrary.load
    ) throws(LinkFailure) {
        guard let library = try SharedLibrary(names, load: load) else {
            throw LinkFailure(
                .missingLibrary, "OpenSSL is not there: \(names.joined(separator: " or ")) cannot be loaded.")
        }
        func function<F>(_ name: String, _ type: F.Type = F.self) throws(LinkFailure) -> F {
            guard let function = library.function(name, as: F.self) else {
                throw LinkFailure(
                    .missingLibrary,
                    "The library named OpenSSL has no function \(name); install OpenSSL 1.1.1 or 3.")
            }
            return function
        }
        EVP_MD_CTX_new = try function("EVP_MD_CTX_new")
        EVP_MD_CTX_free = try function("EVP_MD_CTX_free")
        EVP_sha256 = try function("EVP_sha256")
        EVP_DigestInit_ex = try function("EVP_DigestInit_ex")
        EVP_DigestUpdate = try function("EVP_DigestUpdate")
        EVP_DigestFinal_ex = try function("EVP_DigestFinal_ex")
        let begin: @convention(c) (UInt64, OpaquePointer?) -> Int32 = try function("OPENSSL_init_crypto")
        // OpenSSL keeps for the life of the process that it could not open its configuration.
        try Platform.needDescriptor(for: "Beginning OpenSSL")
        guard begin(Self.withoutExitHandler, nil) == 1, SystemDigest(self) != nil else {
            throw LinkFailure(
                .missingLibrary, "OpenSSL makes no SHA-256 here; its configuration may forbid it.")
        }
    }
}

/// The SHA-256 of bytes that come in pieces; copies of the reference are the same digest.
///
/// Whoever makes one uses it from one thread at a time.
package final class SystemDigest: IncrementalDigest, @unchecked Sendable {
    private static let size = 32

    private let library: DigestLibrary
    private let context: OpaquePointer

    /// Begins with no bytes; nil when OpenSSL has no memory left.
    package init?(_ library: DigestLibrary) {
        guard let context = library.EVP_MD_CTX_new() else { return nil }
        self.library = library
        self.context = context
        guard library.EVP_DigestInit_ex(context, library.EVP_sha256(), nil) == 1 else { return nil }
    }

    deinit {
        library.EVP_MD_CTX_free(context)
    }

    package func update(_ bytes: UnsafeRawBufferPointer) {
        _ = library.EVP_DigestUpdate(context, bytes.baseAddress, bytes.count)
    }

    /// The digest of all the bytes; nothing comes after it.
    package func finish() -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: Self.size) { buffer, count in
            guard let start = buffer.baseAddress else { return }
            if library.EVP_DigestFinal_ex(context, start, nil) == 1 { count = Self.size }
        }
    }
}
