// SPDX-License-Identifier: Apache-2.0

/// Who is registered for something, in the order they came.
package struct Roster<Member> {
    package private(set) var members: [Member] = []
    /// Of the members, ascending.
    private var numbers: [UInt64] = []
    private var last: UInt64 = 0

    package init() {}

    package var isEmpty: Bool { members.isEmpty }

    /// By the number that is returned a member is taken out again.
    package mutating func add(_ member: Member) -> UInt64 {
        last += 1
        members.append(member)
        numbers.append(last)
        return last
    }

    package mutating func remove(_ number: UInt64) {
        guard let index = numbers.firstIndex(of: number) else { return }
        members.remove(at: index)
        numbers.remove(at: index)
    }

    package mutating func removeAll() -> [Member] {
        defer {
            members = []
            numbers = []
        }
        return members
    }
}
