package dev.duoka.machine.probe;

import dev.duoka.base.DuokaException;
import dev.duoka.ffi.nvml.NvLink;
import dev.duoka.ffi.nvml.NvmlDevice;
import dev.duoka.ffi.nvml.ThrottleReason;
import dev.duoka.ffi.nvml.Utilization;
import java.util.ArrayList;
import java.util.List;

/** Reads one GPU from NVML. */
final class NvmlProbe {
  private NvmlProbe() {}

  static GpuDraft read(NvmlDevice device, SnapshotDraft facts) {
    GpuDraft draft = new GpuDraft();
    draft.put(GpuField.INDEX, device.index());
    try {
      fill(device, draft);
    } catch (DuokaException e) { // a lost GPU must not hide the others
      facts.notes.add("GPU " + device.index() + ": " + e.getMessage());
    }
    return draft;
  }

  private static void fill(NvmlDevice device, GpuDraft draft) {
    device.name().ifPresent(value -> draft.put(GpuField.NAME, value));
    device.uuid().ifPresent(value -> draft.put(GpuField.UUID, value));
    device.pciBusId().ifPresent(value -> draft.put(GpuField.BUS_ID, value));
    device.computeCapability().ifPresent(value -> draft.put(GpuField.CAPABILITY, value.toString()));
    device
        .memory()
        .ifPresent(
            memory -> {
              draft.put(GpuField.MEMORY_TOTAL, memory.total());
              draft.put(GpuField.MEMORY_USED, memory.used());
            });
    device
        .utilization()
        .map(Utilization::gpu)
        .ifPresent(value -> draft.put(GpuField.UTILIZATION, value));
    device.temperature().ifPresent(value -> draft.put(GpuField.TEMPERATURE, value));
    device
        .performanceState()
        .map(state -> "P" + state)
        .ifPresent(value -> draft.put(GpuField.PERFORMANCE_STATE, value));
    device
        .pcieLink()
        .ifPresent(
            link -> {
              draft.put(GpuField.PCIE_GENERATION, link.generation());
              draft.put(GpuField.PCIE_GENERATION_MAX, link.maxGeneration());
              draft.put(GpuField.PCIE_WIDTH, link.width());
              draft.put(GpuField.PCIE_WIDTH_MAX, link.maxWidth());
            });
    device
        .pcieDeviceGeneration()
        .ifPresent(value -> draft.put(GpuField.PCIE_GENERATION_DEVICE_MAX, value));
    device.pcieReplays().ifPresent(value -> draft.put(GpuField.PCIE_REPLAYS, value));
    List<NvLink> links = device.nvLinks();
    draft.put(GpuField.NVLINKS, links.size());
    draft.put(GpuField.NVLINKS_ACTIVE, links.stream().filter(NvLink::active).count());
    health(device, draft);
    device
        .power()
        .ifPresent(
            power -> {
              power.draw().ifPresent(value -> draft.put(GpuField.POWER_DRAW, value));
              power.limit().ifPresent(value -> draft.put(GpuField.POWER_LIMIT, value));
              power.defaultLimit().ifPresent(value -> draft.put(GpuField.POWER_DEFAULT, value));
            });
    device
        .powerRange()
        .ifPresent(
            range -> {
              draft.put(GpuField.POWER_MIN, range.min());
              draft.put(GpuField.POWER_MAX, range.max());
            });
    device
        .clocks()
        .ifPresent(
            clocks -> {
              draft.put(GpuField.CLOCK_SM, clocks.sm());
              draft.put(GpuField.CLOCK_MEMORY, clocks.memory());
              clocks.maxSm().ifPresent(value -> draft.put(GpuField.CLOCK_SM_MAX, value));
              clocks.maxMemory().ifPresent(value -> draft.put(GpuField.CLOCK_MEMORY_MAX, value));
            });
    device.applicationClock().ifPresent(value -> draft.put(GpuField.CLOCK_APPLICATION, value));
    device
        .defaultApplicationClock()
        .ifPresent(value -> draft.put(GpuField.CLOCK_APPLICATION_DEFAULT, value));
    device
        .throttleReasons()
        .ifPresent(
            reasons ->
                draft.put(
                    GpuField.THROTTLE_MASK, reasons.stream().mapToLong(ThrottleReason::bit).sum()));
    device.persistenceMode().ifPresent(value -> draft.put(GpuField.PERSISTENCE, value));
    device.migMode().ifPresent(value -> draft.put(GpuField.MIG, value));
    device.computeMode().ifPresent(mode -> draft.put(GpuField.COMPUTE_MODE, computeMode(mode)));
    device
        .processMemory()
        .ifPresent(
            processes -> {
              List<Gpu.GpuProcess> list = new ArrayList<>();
              processes.forEach(
                  (pid, bytes) ->
                      list.add(
                          new Gpu.GpuProcess(
                              pid,
                              Reading.of("C"),
                              Reading.of(
                                  ProcessHandle.of(pid).flatMap(p -> p.info().command()),
                                  "the process is not visible from here"),
                              bytes < 0
                                  ? Reading.unknown("the driver does not tell")
                                  : Reading.of(bytes))));
              draft.processes(list);
            });
  }

  private static void health(NvmlDevice device, GpuDraft draft) {
    device
        .ecc()
        .ifPresent(
            ecc -> {
              draft.put(GpuField.ECC, ecc.enabled());
              ecc.corrected().ifPresent(value -> draft.put(GpuField.ECC_CORRECTED, value));
              ecc.uncorrected().ifPresent(value -> draft.put(GpuField.ECC_UNCORRECTED, value));
              ecc.remappedRows()
                  .ifPresent(
                      rows -> {
                        draft.put(GpuField.REMAP_CORRECTED, rows.corrected());
                        draft.put(GpuField.REMAP_UNCORRECTED, rows.uncorrected());
                        draft.put(GpuField.REMAP_PENDING, rows.pending());
                        draft.put(GpuField.REMAP_FAILED, rows.failed());
                      });
            });
    device
        .uncorrectedErrorsEver()
        .ifPresent(value -> draft.put(GpuField.ECC_UNCORRECTED_EVER, value));
    device.retiredPagesPending().ifPresent(value -> draft.put(GpuField.RETIRED_PENDING, value));
  }

  /** In the words of nvidia-smi. */
  private static String computeMode(int mode) {
    return switch (mode) {
      case 0 -> "Default";
      case 1 -> "Exclusive_Thread";
      case 2 -> "Prohibited";
      case 3 -> "Exclusive_Process";
      default -> "mode " + mode;
    };
  }
}
