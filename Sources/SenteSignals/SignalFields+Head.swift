// SPDX-License-Identifier: Apache-2.0

package import SenteWire

/// What stands in a record's head: names come in the order namespace, id, file, and before all fields.
extension SignalFields {
    package mutating func setNamespace(_ text: StaticString) {
        setName(text, RecordLayout.namespace, RecordLayout.namespaceLength)
    }

    package mutating func setNamespace(_ text: String) {
        setName(text, RecordLayout.namespace, RecordLayout.namespaceLength)
    }

    /// Takes what stands before the slash of an id, if it has one.
    package mutating func setNamespace(ofID id: StaticString, otherwise namespace: StaticString) {
        guard id.hasPointerRepresentation else { return setNamespace(namespace) }
        let bytes = UnsafeBufferPointer(start: id.utf8Start, count: id.utf8CodeUnitCount)
        guard let slash = bytes.firstIndex(of: UInt8(ascii: "/")) else { return setNamespace(namespace) }
        let part = UnsafeBufferPointer(rebasing: bytes[..<slash])
        guard slash <= Self.maximumName else { return setNamespace(String(decoding: part, as: UTF8.self)) }
        setName(part, isPermanent: true, RecordLayout.namespace, RecordLayout.namespaceLength)
    }

    /// Sets an id that belongs to the namespace if it has no slash.
    package mutating func setID(_ text: StaticString) {
        add(flag: RecordLayout.relativeID)
        setName(text, RecordLayout.id, RecordLayout.idLength)
    }

    /// The same of an id made at run time.
    package mutating func setID(_ text: String) {
        add(flag: RecordLayout.relativeID)
        setName(text, RecordLayout.id, RecordLayout.idLength)
    }

    /// Sets an id as it is.
    package mutating func setWholeID(_ text: String) {
        setName(text, RecordLayout.id, RecordLayout.idLength)
    }

    package mutating func setFile(_ text: StaticString) {
        setName(text, RecordLayout.file, RecordLayout.fileLength)
    }

    package mutating func setFile(_ text: String) {
        setName(text, RecordLayout.file, RecordLayout.fileLength)
    }

    /// Sets all that a call site knows of itself, in one call.
    package mutating func setPlace(namespace: StaticString, id: StaticString?, file: StaticString, line: Int)
    {
        setName(namespace, RecordLayout.namespace, RecordLayout.namespaceLength)
        if let id {
            add(flag: RecordLayout.relativeID)
            setName(id, RecordLayout.id, RecordLayout.idLength)
        }
        setName(file, RecordLayout.file, RecordLayout.fileLength)
        setLine(line)
    }

    /// The record with what a telemetry knows of it: its number, the changes made before it, and the handler that raised it.
    package mutating func finish(
        at time: Int64, sequence: UInt64, generation: UInt32, origin: UInt16
    ) -> SignalRecord {
        if leftOut > 0 { appendLeftOut() }
        // Size, origin and generation in one word, as a little-endian machine reads them.
        let start = UInt64(truncatingIfNeeded: count) | UInt64(origin) << 16 | UInt64(generation) << 32
        store(start, at: RecordLayout.size)
        store(time, at: RecordLayout.time)
        store(sequence, at: RecordLayout.sequence)
        return SignalRecord(base)
    }

    package mutating func setSequence(_ sequence: UInt64) {
        store(sequence, at: RecordLayout.sequence)
    }

    package mutating func setLine(_ line: Int) {
        store(UInt32(exactly: line) ?? 0, at: RecordLayout.line)
    }

    /// Says which handler raised it.
    package mutating func setOrigin(_ origin: UInt16) {
        store(origin, at: RecordLayout.origin)
    }

    @inline(__always)
    private mutating func setName(_ text: StaticString, _ address: Int, _ length: Int) {
        guard text.hasPointerRepresentation, text.utf8CodeUnitCount <= Self.maximumName else {
            return setName(text.description, address, length)
        }
        store(UInt(bitPattern: text.utf8Start), at: address)
        store(UInt16(truncatingIfNeeded: text.utf8CodeUnitCount), at: length)
    }

    private mutating func setName(_ text: String, _ address: Int, _ length: Int) {
        Self.withKey(text) { setName($0.text, isPermanent: $0.isPermanent, address, length) }
    }

    private mutating func setName(
        _ text: UnsafeBufferPointer<UInt8>, isPermanent: Bool, _ address: Int, _ length: Int
    ) {
        store(isPermanent ? UInt(bitPattern: text.baseAddress) : 0, at: address)
        store(UInt16(text.count), at: length)
        guard !isPermanent else { return }
        add(flag: RecordLayout.copiedName)
        append(padding: text)
    }

    private func add(flag: UInt8) {
        let flags = base.load(fromByteOffset: RecordLayout.flags, as: UInt8.self)
        store(flags | flag, at: RecordLayout.flags)
    }
}

/// What is known of every signal, as fields with a role and no key.
extension SignalFields {
    private static var noKey: Key { Key(text: .init(start: nil, count: 0), isPermanent: false) }

    package mutating func setMessage(_ text: String) {
        append(.message, key: Self.noKey, text: text)
    }

    package mutating func setError(_ error: SignalError) {
        append(.errorType, key: Self.noKey, text: error.type)
        append(.errorMessage, key: Self.noKey, text: error.message)
        if let code = error.code { append(.errorCode, key: Self.noKey, text: code) }
    }

    package mutating func setDuration(nanoseconds: Int64) {
        append(.duration, .integer, key: Self.noKey, word: UInt64(bitPattern: nanoseconds))
    }

    package mutating func setTrace(_ trace: TraceContext) {
        let state = trace.state.map { Array($0.utf8.prefix(Self.maximumTraceState)) }
        withUnsafeTemporaryAllocation(byteCount: 26 + (state?.count ?? 0), alignment: 8) { bytes in
            bytes.storeBytes(of: trace.traceID.high, as: UInt64.self)
            bytes.storeBytes(of: trace.traceID.low, toByteOffset: 8, as: UInt64.self)
            bytes.storeBytes(of: trace.spanID, toByteOffset: 16, as: UInt64.self)
            bytes[24] = trace.isSampled ? 1 : 0
            bytes[25] = state == nil ? 0 : 1
            if let state { UnsafeMutableRawBufferPointer(rebasing: bytes[26...]).copyBytes(from: state) }
            append(
                .trace, .text, key: Self.noKey,
                text: UnsafeBufferPointer(bytes.assumingMemoryBound(to: UInt8.self)))
        }
    }

    /// More than a `tracestate` of the standard's size ever has.
    private static let maximumTraceState = 2_048

    package mutating func setContext(_ key: String, _ value: Value) {
        Self.withKey(key) { append(.context, key: $0, value) }
    }

    package mutating func setData(_ key: String, _ value: Value) {
        Self.withKey(key) { append(.data, key: $0, value) }
    }

    package mutating func setContext(_ context: EncodedContext) {
        append(encoded: context)
    }
}

/// What holds around many signals, encoded once.
package struct EncodedContext: Sendable {
    let fields: [UInt8]
    let fieldCount: Int

    package init(_ context: ValueMap) {
        var fields = SignalFields(in: .init(start: nil, count: 0), level: .info, kind: .log)
        for (key, value) in context { fields.setContext(key.fieldName, value) }
        fieldCount = fields.fieldCount
        self.fields = Array(fields.finish(at: 0).buffer.dropFirst(RecordLayout.head))
    }
}

extension Value {
    /// The text of a key; keys are keywords, and what is not becomes one of its text.
    var fieldName: String { keywordValue?.text ?? stringValue ?? description }
}
