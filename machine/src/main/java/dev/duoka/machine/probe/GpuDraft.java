package dev.duoka.machine.probe;

import dev.duoka.ffi.nvml.ThrottleReason;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.Function;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** What sources have said of one GPU so far. The first real value of a field stays. */
final class GpuDraft {
  private static final Map<ThrottleReason, GpuField> THROTTLE =
      new EnumMap<>(
          Map.of(
              ThrottleReason.IDLE, GpuField.THROTTLE_IDLE,
              ThrottleReason.APPLICATION_CLOCKS, GpuField.THROTTLE_APPLICATION_CLOCKS,
              ThrottleReason.POWER_CAP, GpuField.THROTTLE_POWER_CAP,
              ThrottleReason.HARDWARE_SLOWDOWN, GpuField.THROTTLE_HARDWARE_SLOWDOWN,
              ThrottleReason.SYNC_BOOST, GpuField.THROTTLE_SYNC_BOOST,
              ThrottleReason.SOFTWARE_THERMAL, GpuField.THROTTLE_SOFTWARE_THERMAL,
              ThrottleReason.HARDWARE_THERMAL, GpuField.THROTTLE_HARDWARE_THERMAL,
              ThrottleReason.HARDWARE_POWER_BRAKE, GpuField.THROTTLE_HARDWARE_POWER_BRAKE,
              ThrottleReason.DISPLAY_CLOCKS, GpuField.THROTTLE_DISPLAY_CLOCKS));

  private static final Pattern IDENTIFYING = Pattern.compile("[1-9a-fA-F]");

  private final Map<GpuField, DraftValue> fields = new EnumMap<>(GpuField.class);
  private @Nullable List<Gpu.GpuProcess> processes;

  /** Sets a field to what a tool printed, unless an earlier source gave a value. */
  void put(GpuField field, String text) {
    put(field, new DraftValue.Text(text.strip()));
  }

  /** Sets a field to a whole number, unless an earlier source gave a value. */
  void put(GpuField field, long value) {
    put(field, new DraftValue.Whole(value));
  }

  /** Sets a field to a number, unless an earlier source gave a value. */
  void put(GpuField field, double value) {
    put(field, new DraftValue.Real(value));
  }

  /** Sets a field to yes or no, unless an earlier source gave a value. */
  void put(GpuField field, boolean value) {
    put(field, new DraftValue.Flag(value));
  }

  private void put(GpuField field, DraftValue value) {
    DraftValue known = fields.get(field);
    if (known == null || (known.isMissing() && !value.isMissing())) {
      fields.put(field, value);
    }
  }

  void processes(List<Gpu.GpuProcess> found) {
    if (processes == null) {
      processes = List.copyOf(found);
    }
  }

  Optional<String> text(GpuField field) {
    return Optional.ofNullable(fields.get(field)).flatMap(value -> value.text().optional());
  }

  /** Takes over what another source says and this one does not. */
  void complete(GpuDraft other) {
    other.fields.forEach(this::put);
    if (other.processes != null) {
      processes(other.processes);
    }
  }

  /** Whether both speak of the same GPU, by place on the bus, identity or number. */
  boolean isSameAs(GpuDraft other) {
    Optional<Boolean> byBus = agree(GpuField.BUS_ID, other, PciDevice::normalise);
    if (byBus.isPresent()) {
      return byBus.get();
    }
    return agree(GpuField.UUID, other, GpuDraft::identity)
        .or(() -> agree(GpuField.INDEX, other, Function.identity()))
        .orElse(false);
  }

  private Optional<Boolean> agree(
      GpuField field, GpuDraft other, Function<String, String> normalise) {
    Optional<String> said = text(field);
    Optional<String> saidByOther = other.text(field);
    if (said.isEmpty() || saidByOther.isEmpty()) {
      return Optional.empty(); // of many GPUs, each is compared with all before it
    }
    String mine = normalise.apply(said.get());
    String theirs = normalise.apply(saidByOther.get());
    return mine.isEmpty() || theirs.isEmpty() ? Optional.empty() : Optional.of(mine.equals(theirs));
  }

  /** Captures that people publish often have the identity blanked out with zeros. */
  private static String identity(String uuid) {
    return IDENTIFYING.matcher(uuid).find() ? uuid : "";
  }

  /** The values. */
  Gpu build(int index) {
    return new Gpu(
        index,
        field(GpuField.NAME, DraftValue::text),
        field(GpuField.UUID, DraftValue::text),
        field(GpuField.BUS_ID, DraftValue::text),
        field(GpuField.CAPABILITY, DraftValue::text),
        field(GpuField.MEMORY_TOTAL, DraftValue::bytes),
        field(GpuField.MEMORY_USED, DraftValue::bytes),
        field(GpuField.UTILIZATION, DraftValue::small),
        field(GpuField.TEMPERATURE, DraftValue::small),
        field(GpuField.PERFORMANCE_STATE, DraftValue::text),
        new Gpu.Pcie(
            field(GpuField.PCIE_GENERATION, DraftValue::small),
            field(GpuField.PCIE_GENERATION_MAX, DraftValue::small),
            field(GpuField.PCIE_GENERATION_DEVICE_MAX, DraftValue::small),
            field(GpuField.PCIE_WIDTH, DraftValue::small),
            field(GpuField.PCIE_WIDTH_MAX, DraftValue::small),
            field(GpuField.PCIE_REPLAYS, DraftValue::whole)),
        new Gpu.NvLinks(
            field(GpuField.NVLINKS, DraftValue::small),
            field(GpuField.NVLINKS_ACTIVE, DraftValue::small)),
        health(),
        new Gpu.Power(
            field(GpuField.POWER_DRAW, DraftValue::number),
            field(GpuField.POWER_LIMIT, DraftValue::number),
            field(GpuField.POWER_DEFAULT, DraftValue::number),
            field(GpuField.POWER_MIN, DraftValue::number),
            field(GpuField.POWER_MAX, DraftValue::number)),
        new Gpu.Clocks(
            field(GpuField.CLOCK_SM, DraftValue::small),
            field(GpuField.CLOCK_SM_MAX, DraftValue::small),
            field(GpuField.CLOCK_MEMORY, DraftValue::small),
            field(GpuField.CLOCK_MEMORY_MAX, DraftValue::small),
            field(GpuField.CLOCK_APPLICATION, DraftValue::small),
            field(GpuField.CLOCK_APPLICATION_DEFAULT, DraftValue::small)),
        throttle(),
        field(GpuField.PERSISTENCE, DraftValue::flag),
        field(GpuField.MIG, DraftValue::flag),
        field(GpuField.COMPUTE_MODE, DraftValue::text),
        field(GpuField.RECOVERY_ACTION, DraftValue::text),
        field(GpuField.FABRIC, DraftValue::text),
        processes == null
            ? Reading.unknown("the source does not list processes")
            : Reading.of(processes));
  }

  private Gpu.MemoryHealth health() {
    return new Gpu.MemoryHealth(
        field(GpuField.ECC, DraftValue::flag),
        field(GpuField.ECC_CORRECTED, DraftValue::whole),
        field(GpuField.ECC_UNCORRECTED, DraftValue::whole),
        field(GpuField.ECC_UNCORRECTED_EVER, DraftValue::whole),
        field(GpuField.ECC_SRAM_THRESHOLD, DraftValue::flag),
        field(GpuField.REMAP_CORRECTED, DraftValue::whole),
        field(GpuField.REMAP_UNCORRECTED, DraftValue::whole),
        field(GpuField.REMAP_PENDING, DraftValue::flag),
        field(GpuField.REMAP_FAILED, DraftValue::flag),
        field(GpuField.RETIRED_SINGLE, DraftValue::whole),
        field(GpuField.RETIRED_DOUBLE, DraftValue::whole),
        field(GpuField.RETIRED_PENDING, DraftValue::flag));
  }

  private Reading<Set<ThrottleReason>> throttle() {
    Set<ThrottleReason> reasons = EnumSet.noneOf(ThrottleReason.class);
    OptionalLong mask = throttleMask();
    if (mask.isPresent()) {
      long bits = mask.getAsLong();
      for (ThrottleReason reason : ThrottleReason.values()) {
        if ((bits & reason.bit()) != 0) {
          reasons.add(reason);
        }
      }
      return Reading.of(reasons);
    }
    boolean any = false;
    List<String> refused = new ArrayList<>();
    for (Map.Entry<ThrottleReason, GpuField> entry : THROTTLE.entrySet()) {
      Reading<Boolean> active = field(entry.getValue(), DraftValue::flag);
      any |= active instanceof Reading.Known<Boolean>;
      if (active.optional().orElse(false)) {
        reasons.add(entry.getKey());
      }
      if (!active.why().isEmpty()) {
        refused.add(active.why());
      }
    }
    return any
        ? Reading.of(reasons)
        : Reading.unknown(refused.isEmpty() ? "not captured" : refused.getFirst());
  }

  /** Tools print it as {@code 0x0000000000000004}. */
  private OptionalLong throttleMask() {
    DraftValue mask = fields.get(GpuField.THROTTLE_MASK);
    if (mask instanceof DraftValue.Whole(long bits)) {
      return OptionalLong.of(bits);
    }
    return mask instanceof DraftValue.Text(String text) && text.matches("0[xX][0-9a-fA-F]{1,15}")
        ? OptionalLong.of(Long.parseLong(text.substring(2), 16))
        : OptionalLong.empty();
  }

  private <T> Reading<T> field(GpuField field, Function<DraftValue, Reading<T>> as) {
    DraftValue value = fields.get(field);
    return value == null ? Reading.unknown("no source tells") : as.apply(value);
  }
}
