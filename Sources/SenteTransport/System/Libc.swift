// SPDX-License-Identifier: Apache-2.0

// The C library, for all files of this room.
#if canImport(Darwin)
@_exported public import Darwin
#elseif canImport(Glibc)
@_exported public import Glibc
#elseif canImport(Musl)
@_exported public import Musl
#elseif canImport(Android)
@_exported public import Android
#endif

// Calls whose names are those of the functions around them, where they would not be found.

func systemClose(_ descriptor: Int32) -> Int32 {
    close(descriptor)
}

func systemConnect(_ descriptor: Int32, _ address: UnsafePointer<sockaddr>, _ length: socklen_t) -> Int32 {
    connect(descriptor, address, length)
}

func systemListen(_ descriptor: Int32, _ backlog: Int32) -> Int32 {
    listen(descriptor, backlog)
}

func systemSend(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer, _ flags: Int32) -> Int {
    send(descriptor, bytes.baseAddress, bytes.count, flags)
}

#if canImport(Darwin)
func systemAccept(_ descriptor: Int32) -> Int32 {
    accept(descriptor, nil, nil)
}
#endif
