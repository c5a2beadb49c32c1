// SPDX-License-Identifier: Apache-2.0

/// Whose the descriptors of a loop are, and what they are watched for.
struct DescriptorTable {
    private struct Slot {
        var member: (any LoopMember)?
        var generation: UInt32 = 0
        var interest: Interest = []
    }

    /// By descriptor.
    private var slots: [Slot] = []
    /// How many descriptors there are.
    private(set) var count = 0

    /// Makes room for a descriptor; the generation that tells it from an older one of its number.
    mutating func prepare(_ descriptor: Int32) -> UInt32 {
        let index = Int(descriptor)
        if index >= slots.count {
            slots.append(contentsOf: repeatElement(Slot(), count: max(index + 1 - slots.count, slots.count)))
        }
        slots[index].generation &+= 1
        return slots[index].generation
    }

    /// Puts a descriptor that was prepared in.
    mutating func insert(_ descriptor: Int32, _ member: any LoopMember, _ interest: Interest) {
        slots[Int(descriptor)].member = member
        slots[Int(descriptor)].interest = interest
        count += 1
    }

    mutating func give(_ descriptor: Int32, to member: any LoopMember) {
        slots[Int(descriptor)].member = member
    }

    /// Notes what a descriptor is watched for; its generation, or nil when that changes nothing.
    mutating func watch(_ descriptor: Int32, for interest: Interest) -> UInt32? {
        let slot = slots[Int(descriptor)]
        guard slot.member != nil, slot.interest != interest else { return nil }
        slots[Int(descriptor)].interest = interest
        return slot.generation
    }

    mutating func remove(_ descriptor: Int32) {
        slots[Int(descriptor)].member = nil
        slots[Int(descriptor)].generation &+= 1
        count -= 1
    }

    /// Who is to be told: nil when a member called before closed the descriptor, even if another has its number now.
    func member(of ready: ReadyDescriptor) -> (any LoopMember)? {
        let slot = slots[Int(ready.descriptor)]
        return slot.generation == ready.generation ? slot.member : nil
    }

    var all: [(descriptor: Int32, member: any LoopMember)] {
        slots.indices.compactMap { index in slots[index].member.map { (Int32(index), $0) } }
    }
}
