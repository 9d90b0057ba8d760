package dev.duoka.machine.probe;

import dev.duoka.ffi.nvml.ThrottleReason;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
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

  private final Map<GpuField, String> fields = new EnumMap<>(GpuField.class);
  private @Nullable List<Gpu.GpuProcess> processes;

  /** Sets a field, unless an earlier source gave a value. */
  void put(GpuField field, String text) {
    String known = fields.get(field);
    if (known == null || (FieldText.isMissing(known) && !FieldText.isMissing(text))) {
      fields.put(field, text.strip());
    }
  }

  /** Sets a field where there is a value. */
  void put(GpuField field, Optional<?> value) {
    value.ifPresent(present -> put(field, present.toString()));
  }

  void processes(List<Gpu.GpuProcess> found) {
    if (processes == null) {
      processes = List.copyOf(found);
    }
  }

  Optional<String> text(GpuField field) {
    return Optional.ofNullable(fields.get(field)).filter(text -> !FieldText.isMissing(text));
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
    String mine = text(field).map(normalise).orElse("");
    String theirs = other.text(field).map(normalise).orElse("");
    return mine.isEmpty() || theirs.isEmpty() ? Optional.empty() : Optional.of(mine.equals(theirs));
  }

  /** Captures that people publish often have the identity blanked out with zeros. */
  private static String identity(String uuid) {
    return uuid.replaceAll("[^1-9a-fA-F]", "").isEmpty() || uuid.matches("(GPU|MIG)-[0-]*")
        ? ""
        : uuid;
  }

  /** The values. */
  Gpu build(int index) {
    return new Gpu(
        index,
        field(GpuField.NAME, FieldText::text),
        field(GpuField.UUID, FieldText::text),
        field(GpuField.BUS_ID, FieldText::text),
        field(GpuField.CAPABILITY, FieldText::text),
        field(GpuField.MEMORY_TOTAL, FieldText::bytes),
        field(GpuField.MEMORY_USED, FieldText::bytes),
        field(GpuField.UTILIZATION, FieldText::small),
        field(GpuField.TEMPERATURE, FieldText::small),
        field(GpuField.PERFORMANCE_STATE, FieldText::text),
        new Gpu.Pcie(
            field(GpuField.PCIE_GENERATION, FieldText::small),
            field(GpuField.PCIE_GENERATION_MAX, FieldText::small),
            field(GpuField.PCIE_GENERATION_DEVICE_MAX, FieldText::small),
            field(GpuField.PCIE_WIDTH, FieldText::small),
            field(GpuField.PCIE_WIDTH_MAX, FieldText::small),
            field(GpuField.PCIE_REPLAYS, FieldText::whole)),
        new Gpu.NvLinks(
            field(GpuField.NVLINKS, FieldText::small),
            field(GpuField.NVLINKS_ACTIVE, FieldText::small)),
        health(),
        new Gpu.Power(
            field(GpuField.POWER_DRAW, FieldText::number),
            field(GpuField.POWER_LIMIT, FieldText::number),
            field(GpuField.POWER_DEFAULT, FieldText::number),
            field(GpuField.POWER_MIN, FieldText::number),
            field(GpuField.POWER_MAX, FieldText::number)),
        new Gpu.Clocks(
            field(GpuField.CLOCK_SM, FieldText::small),
            field(GpuField.CLOCK_SM_MAX, FieldText::small),
            field(GpuField.CLOCK_MEMORY, FieldText::small),
            field(GpuField.CLOCK_MEMORY_MAX, FieldText::small),
            field(GpuField.CLOCK_APPLICATION, FieldText::small),
            field(GpuField.CLOCK_APPLICATION_DEFAULT, FieldText::small)),
        throttle(),
        field(GpuField.PERSISTENCE, FieldText::flag),
        field(GpuField.MIG, FieldText::flag),
        field(GpuField.COMPUTE_MODE, FieldText::text),
        field(GpuField.RECOVERY_ACTION, FieldText::text),
        field(GpuField.FABRIC, FieldText::text),
        processes == null
            ? Reading.unknown("the source does not list processes")
            : Reading.of(processes));
  }

  private Gpu.MemoryHealth health() {
    return new Gpu.MemoryHealth(
        field(GpuField.ECC, FieldText::flag),
        field(GpuField.ECC_CORRECTED, FieldText::whole),
        field(GpuField.ECC_UNCORRECTED, FieldText::whole),
        field(GpuField.ECC_UNCORRECTED_EVER, FieldText::whole),
        field(GpuField.ECC_SRAM_THRESHOLD, FieldText::flag),
        field(GpuField.REMAP_CORRECTED, FieldText::whole),
        field(GpuField.REMAP_UNCORRECTED, FieldText::whole),
        field(GpuField.REMAP_PENDING, FieldText::flag),
        field(GpuField.REMAP_FAILED, FieldText::flag),
        field(GpuField.RETIRED_SINGLE, FieldText::whole),
        field(GpuField.RETIRED_DOUBLE, FieldText::whole),
        field(GpuField.RETIRED_PENDING, FieldText::flag));
  }

  private Reading<Set<ThrottleReason>> throttle() {
    Set<ThrottleReason> reasons = EnumSet.noneOf(ThrottleReason.class);
    Optional<String> mask =
        text(GpuField.THROTTLE_MASK).filter(text -> text.matches("0[xX][0-9a-fA-F]{1,15}"));
    if (mask.isPresent()) {
      long bits = Long.parseLong(mask.get().substring(2), 16);
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
      Reading<Boolean> active = field(entry.getValue(), FieldText::flag);
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

  private <T> Reading<T> field(GpuField field, Function<String, Reading<T>> parse) {
    String text = fields.get(field);
    return text == null ? Reading.unknown("no source tells") : parse.apply(text);
  }
}
