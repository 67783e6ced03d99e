"""profile.proto, read by Debian's python3-protobuf with a descriptor made from the public numbers of its fields."""
import gzip

from harness import CACHE_BYTES, FILE, LEAK_BYTES, LIBRARY, MAP_BYTES, NAME, expect, expect_equal

# Message: field: (number, type, repeated). Types: i = int64, u = uint64, b = bool, s = string, else a message.
SCHEMA = {
    "Profile": {"sample_type": (1, "ValueType", True), "sample": (2, "Sample", True), "mapping": (3, "Mapping", True),
                "location": (4, "Location", True), "function": (5, "Function", True), "string_table": (6, "s", True),
                "drop_frames": (7, "i", False), "keep_frames": (8, "i", False), "time_nanos": (9, "i", False),
                "duration_nanos": (10, "i", False), "period_type": (11, "ValueType", False), "period": (12, "i", False),
                "comment": (13, "i", True), "default_sample_type": (14, "i", False)},
    "ValueType": {"type": (1, "i", False), "unit": (2, "i", False)},
    "Sample": {"location_id": (1, "u", True), "value": (2, "i", True), "label": (3, "Label", True)},
    "Label": {"key": (1, "i", False), "str": (2, "i", False), "num": (3, "i", False), "num_unit": (4, "i", False)},
    "Mapping": {"id": (1, "u", False), "memory_start": (2, "u", False), "memory_limit": (3, "u", False),
                "file_offset": (4, "u", False), "filename": (5, "i", False), "build_id": (6, "i", False),
                "has_functions": (7, "b", False), "has_filenames": (8, "b", False), "has_line_numbers": (9, "b", False),
                "has_inline_frames": (10, "b", False)},
    "Location": {"id": (1, "u", False), "mapping_id": (2, "u", False), "address": (3, "u", False),
                 "line": (4, "Line", True), "is_folded": (5, "b", False)},
    "Line": {"function_id": (1, "u", False), "line": (2, "i", False)},
    "Function": {"id": (1, "u", False), "name": (2, "i", False), "system_name": (3, "i", False),
                 "filename": (4, "i", False), "start_line": (5, "i", False)},
}


def profile_class():
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
    types = {"i": 3, "u": 4, "b": 8, "s": 9}
    file = descriptor_pb2.FileDescriptorProto(name="profile.proto", package="perftools.profiles", syntax="proto3")
    for message, fields in SCHEMA.items():
        described = file.message_type.add(name=message)
        for name, (number, kind, repeated) in fields.items():
            field = described.field.add(name=name, number=number, type=types.get(kind, 11), label=3 if repeated else 1)
            if kind in SCHEMA:
                field.type_name = f".perftools.profiles.{kind}"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.MessageFactory(pool).GetPrototype(pool.FindMessageTypeByName("perftools.profiles.Profile"))


class Reader:
    """A profile with its numbers resolved; what does not hold together is an error, as in pprof's own check."""

    def __init__(self, packed):
        self.profile = profile_class()()
        self.profile.ParseFromString(gzip.decompress(packed))
        self.text = self.profile.string_table
        expect_equal(self.text[0], "", "first string")
        self.mappings = self.by_id(self.profile.mapping)
        self.locations = self.by_id(self.profile.location)
        self.functions = self.by_id(self.profile.function)
        self.types = [(self.text[kind.type], self.text[kind.unit]) for kind in self.profile.sample_type]
        for sample in self.profile.sample:
            expect_equal(len(sample.value), len(self.types), "values of a sample")

    @staticmethod
    def by_id(items):
        found = {item.id: item for item in items}
        expect(len(found) == len(items) and 0 not in found, "ids that are not unique, or 0")
        return found

    def frames(self, location):
        """Of one location, innermost first."""
        for line in location.line:
            function = self.functions[line.function_id]
            yield self.text[function.name], self.text[function.filename], line.line

    def stack(self, sample):
        return [frame for number in sample.location_id for frame in self.frames(self.locations[number])]

    def labels(self, sample):
        return {self.text[label.key]: self.text[label.str] if label.str else label.num for label in sample.label}

    def values(self, kind):
        index = [name for name, _ in self.types].index(kind)
        return {self.stack(sample)[0][0]: sample.value[index] for sample in self.profile.sample}


INLINED = "(anonymous namespace)::inlined_part"
LIBRARY_FRAME = 'a;b\\x0a"<\\x03\\xff.so+0x1234'


def case_values_of_all_kinds(place):
    reader = Reader(place.export("--to", "pprof", place.hostile))
    expect_equal(sorted(reader.types), [("alloc_objects", "count"), ("alloc_space", "bytes"), ("inuse_objects", "count"),
                                        ("inuse_space", "bytes")], "sample types")
    expect_equal(reader.text[reader.profile.default_sample_type], "inuse_space", "default")
    expect_equal(reader.values("inuse_space"), {NAME: LEAK_BYTES, LIBRARY_FRAME: CACHE_BYTES, INLINED: MAP_BYTES}, "space")
    expect_equal(reader.values("inuse_objects"), {NAME: 1000, LIBRARY_FRAME: 1, INLINED: 1}, "objects")
    expect_equal(reader.values("alloc_objects")[LIBRARY_FRAME], 10, "allocated objects")
    expect_equal(reader.values("alloc_space")[LIBRARY_FRAME], 40_960, "allocated space")


def case_stacks_with_scripts_and_inlined_functions(place):
    reader = Reader(place.export("--to", "pprof", place.hostile))
    stack = next(stack for stack in map(reader.stack, reader.profile.sample) if stack[0][0] == NAME)
    expect_equal(stack[0], (NAME, FILE, 12), "hostile frame")
    expect_equal(stack[1], ("handle", "/srv/app.py", 7), "Python frame")
    expect_equal(stack[2][0], LIBRARY_FRAME, "frame without a name")
    expect_equal([frame[0] for frame in stack[3:]], [INLINED, "(anonymous namespace)::outer_part"], "inlined frames")
    expect(all(frame[1].endswith("write_recordings.cpp") and frame[2] > 0 for frame in stack[3:]), f"lines: {stack[3:]}")


def case_mappings_and_addresses(place):
    reader = Reader(place.export("--to", "pprof", place.hostile))
    library = next(mapping for mapping in reader.mappings.values() if reader.text[mapping.filename] == LIBRARY)
    expect_equal(reader.text[library.build_id], "abcd", "build-id")
    location = next(one for one in reader.locations.values() if one.mapping_id == library.id)
    # A return address stands for the call before it.
    expect_equal(location.address, 0x7F0000000000 + 0x1233, "address")
    expect(library.memory_start <= location.address < library.memory_limit, "the address lies in its mapping")
    inlined = [mapping for mapping in reader.mappings.values() if mapping.has_inline_frames]
    expect_equal(len(inlined), 1, "mappings with inlined functions")


def case_labels_time_and_period(place):
    reader = Reader(place.export("--to", "pprof", place.run))
    labels = [reader.labels(sample) for sample in reader.profile.sample]
    expect_equal({label["process"] for label in labels}, {"hostile.100", "hostile.101"}, "processes")
    expect_equal({label["pid"] for label in labels}, {100, 101}, "pids")
    expect_equal({(label["kind"], label["mode"]) for label in labels}, {("heap", "exact"), ("mmap", "exact")}, "kinds")
    expect_equal(reader.profile.time_nanos, 1_700_000_010_000_000_000, "time")
    expect_equal(reader.profile.duration_nanos, 10_000_000_000, "duration")
    sampled = Reader(place.export("--to", "pprof", place.sampled))
    expect_equal(sampled.profile.period, 524_288, "period of sample mode")
    expect_equal(reader.profile.period, 1, "period of exact mode")
    expect_equal(sampled.labels(sampled.profile.sample[0])["mode"], "sample", "mode")


def case_differences_have_a_sign(place):
    reader = Reader(place.export("--to", "pprof", "--since", "4", place.hostile))
    expect_equal(reader.values("inuse_space"), {NAME: 38_400, LIBRARY_FRAME: 0, INLINED: -60_000}, "differences")
    expect_equal(reader.profile.duration_nanos, 6_000_000_000, "time between them")
