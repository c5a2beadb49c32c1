// SPDX-License-Identifier: Apache-2.0

import Foundation
import SenteWire
import Testing

/// The data that nobody here wrote, if there is any.
enum Witness {
    static let folder = ProcessInfo.processInfo.environment["SENTE_SHARED"]

    static func bytes(_ path: String) throws -> [UInt8] {
        let folder = try #require(folder)
        return [UInt8](try Data(contentsOf: URL(fileURLWithPath: folder).appendingPathComponent(path)))
    }

    static func names(_ path: String) throws -> [String] {
        let folder = try #require(folder)
        return try FileManager.default.contentsOfDirectory(atPath: folder + "/" + path).sorted()
    }
}

@Suite(
    "JSONTestSuite", .enabled(if: Witness.folder != nil, "SENTE_SHARED does not name the folder of test data")
)
struct JSONSuiteTests {
    private let folder = "conformance/json/test_parsing"

    private func verdicts(_ prefix: String) throws -> [(name: String, result: Result<Value, WireError>)] {
        try Witness.names(folder).filter { $0.hasPrefix(prefix) }.map { name in
            let bytes = try Witness.bytes("\(folder)/\(name)")
            do throws(WireError) {
                return (name, .success(try WireFormat.json.decode(bytes)))
            } catch {
                return (name, .failure(error))
            }
        }
    }

    @Test("accepts every document that must be accepted, and reads what was written of it as the same")
    func accepted() throws {
        let verdicts = try verdicts("y_")
        #expect(verdicts.count == 95)
        for (name, result) in verdicts {
            let value = try #require(try? result.get(), "\(name) must be accepted")
            #expect(try WireFormat.json.decode(WireFormat.json.encode(value)) == value, "\(name)")
        }
    }

    @Test("refuses every document that must be refused")
    func refused() throws {
        let verdicts = try verdicts("n_")
        #expect(verdicts.count == 188)
        for (name, result) in verdicts {
            #expect(throws: WireError.self, "\(name) must be refused") { try result.get() }
        }
    }

    @Test("decides the documents that may be either")
    func decided() throws {
        let accepted = [
            // Beyond a double, kept as exact decimals; below it, zero.
            "i_number_huge_exp.json": nil, "i_number_neg_int_huge_exp.json": "-1E+9999M",
            "i_number_pos_double_huge_exp.json": "1.5E+9999M", "i_number_real_neg_overflow.json": "decimal",
            "i_number_real_pos_overflow.json": "decimal", "i_number_real_underflow.json": "0.0",
            "i_number_double_huge_neg_exp.json": "0.0",
            // Beyond 64 bits, kept as big integers.
            "i_number_too_big_neg_int.json": "-123123123123123123123123123123N",
            "i_number_too_big_pos_int.json": "100000000000000000000N",
            "i_number_very_big_negative_int.json": "-237462374673276894279832749832423479823246327846N",
            "i_structure_500_nested_arrays.json": "nested",
        ]
        // All others are lone surrogates, bytes that are not UTF-8, UTF-16, or a byte order mark.
        let verdicts = try verdicts("i_")
        #expect(verdicts.count == 35)
        for (name, result) in verdicts {
            guard let expected = accepted[name] ?? nil else {
                #expect(throws: WireError.self, "\(name) is refused") { try result.get() }
                continue
            }
            let value = try #require(try? result.get(), "\(name) is accepted")
            switch expected {
            case "decimal": #expect(value[0]?.description.hasSuffix("M") == true, "\(name)")
            case "nested": #expect(value.weight == 500 * 8)
            default: #expect(value[0]?.description == expected, "\(name)")
            }
        }
    }
}
