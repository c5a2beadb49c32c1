// SPDX-License-Identifier: Apache-2.0

import SenteWire
import Testing

@Suite("Exact numbers")
struct NumberTests {
    @Test(
        "of any size have one text",
        arguments: [
            ("0", "0"), ("-0", "0"), ("+007", "7"), ("-0012", "-12"), ("123456789012345678901234567890", nil),
        ] as [(String, String?)])
    func bigIntegers(text: String, canonical: String?) throws {
        let integer = try #require(BigInteger(text))
        #expect(integer.description == canonical ?? text)
        #expect(BigInteger(integer.description) == integer)
    }

    @Test("are not made of what is no number", arguments: ["", "-", "+", "1.0", "1e3", " 1", "0x1", "١"])
    func noNumbers(text: String) {
        #expect(BigInteger(text) == nil)
    }

    @Test("know whether they fit 64 bits")
    func fit() throws {
        #expect(Int64(exactly: BigInteger(Int64.min)) == .min)
        #expect(Int64(exactly: BigInteger(UInt64.max)) == nil)
        #expect(Int64(exactly: try #require(BigInteger("9223372036854775808"))) == nil)
        #expect(Double(try #require(BigInteger("-1" + String(repeating: "0", count: 400)))) == -.infinity)
    }

    @Test(
        "with a point are written as Java writes them",
        arguments: [
            ("1.50", "1.50"), ("-0.001", "-0.001"), ("1e3", "1E+3"), ("12e-9", "1.2E-8"),
            ("0.0000001", "1E-7"),
            ("0.000001", "0.000001"), ("123", "123"), (".5", "0.5"), ("5.", "5"), ("0.00", "0.00"),
            ("1.23E5", "1.23E+5"),
        ])
    func decimals(text: String, canonical: String) throws {
        let decimal = try #require(BigDecimal(text))
        #expect(decimal.description == canonical)
        #expect(BigDecimal(canonical) == decimal)
    }

    @Test(
        "with a point are not made of what is none",
        arguments: ["", ".", "1..2", "1e", "e1", "1e99999999999", "1.-2", "--1"])
    func noDecimals(text: String) {
        #expect(BigDecimal(text) == nil)
    }

    @Test("above a line are brought to lowest terms while they are small")
    func ratios() throws {
        #expect(Ratio(BigInteger(4), BigInteger(-6))?.description == "-2/3")
        #expect(Ratio(BigInteger(0), BigInteger(5))?.description == "0/1")
        #expect(Ratio(BigInteger(Int64.min), BigInteger(Int64.min))?.description == "1/1")
        #expect(Ratio(BigInteger(1), BigInteger(0)) == nil)
        #expect(Ratio(BigInteger(UInt64.max), BigInteger(3))?.description == "18446744073709551615/3")
    }
}

@Suite("Timestamps and ids")
struct TimestampTests {
    @Test(
        "are written in UTC and read back",
        arguments: [
            (0, "1970-01-01T00:00:00.000Z"), (-1, "1969-12-31T23:59:59.999Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (1_795_255_200_123, "2026-11-21T10:00:00.123Z"),
            (-62_135_596_800_000, "0001-01-01T00:00:00.000Z"),
            (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
        ] as [(Int64, String)])
    func text(milliseconds: Int64, text: String) {
        #expect(Timestamp(milliseconds: milliseconds).description == text)
        #expect(Timestamp(text) == Timestamp(milliseconds: milliseconds))
    }

    @Test("at the ends of the range do not trap")
    func ends() {
        #expect(Timestamp(milliseconds: .min).description.hasPrefix("-292"))
        #expect(Timestamp(milliseconds: .max).description.hasPrefix("+292"))
        #expect(Timestamp(milliseconds: 1, nanoseconds: .max).nanoseconds == 999_999)
        #expect(Timestamp(milliseconds: 1) < Timestamp(milliseconds: 1, nanoseconds: 1))
    }

    @Test("are read with any offset and any number of decimals")
    func offsets() {
        #expect(Timestamp("1970-01-01T01:00:00+01:00")?.milliseconds == 0)
        #expect(Timestamp("1969-12-31t23:30:00.5-00:30")?.milliseconds == 500)
        #expect(
            Timestamp("1970-01-01T00:00:00.1234567891Z") == Timestamp(milliseconds: 123, nanoseconds: 456_789)
        )
        #expect(
            Timestamp(milliseconds: 123, nanoseconds: 456).description == "1970-01-01T00:00:00.123000456Z")
        #expect(
            Timestamp(milliseconds: 123, nanoseconds: 456_000).description == "1970-01-01T00:00:00.123456Z")
    }

    @Test(
        "are not made of what is no date",
        arguments: [
            "", "1970-01-01", "1970-13-01T00:00:00Z", "1970-02-29T00:00:00Z", "1970-01-01T24:00:00Z",
            "1970-01-01T00:00:00",
            "1970-01-01T00:00:00.Z", "1970-01-01T00:00:00Zx", "1970-01-01T00:00:00+1:00",
            "197-01-01T00:00:00Z",
        ])
    func noDates(text: String) {
        #expect(Timestamp(text) == nil)
    }

    @Test("are 36 characters of hexadecimal digits and dashes")
    func ids() {
        let id = UniqueID("F81D4FAE-7DEC-11D0-A765-00A0C91E6BF6")
        #expect(id == UniqueID(high: 0xF81D_4FAE_7DEC_11D0, low: 0xA765_00A0_C91E_6BF6))
        #expect(id?.description == "f81d4fae-7dec-11d0-a765-00a0c91e6bf6")
        for text in [
            "", "f81d4fae7dec11d0a76500a0c91e6bf6", "f81d4fae-7dec-11d0-a765-00a0c91e6bfg",
            "f81d4fae-7dec-11d0-a765-00a0c91e6bf6a",
        ] {
            #expect(UniqueID(text) == nil)
        }
    }
}
