package dev.duoka.machine.probe;

import dev.duoka.base.DuokaException;
import dev.duoka.ffi.nvml.NvLink;
import dev.duoka.ffi.nvml.NvmlDevice;
import dev.duoka.ffi.nvml.ThrottleReason;
import java.util.ArrayList;
import java.util.List;

/** Reads one GPU from NVML. */
final class NvmlProbe {
  private NvmlProbe() {}

  static GpuDraft read(NvmlDevice device, Facts facts) {
    GpuDraft draft = new GpuDraft();
    draft.put(GpuField.INDEX, Integer.toString(device.index()));
    try {
      fill(device, draft);
    } catch (DuokaException e) { // a lost GPU must not hide the others
      facts.notes.add("GPU " + device.index() + ": " + e.getMessage());
    }
    return draft;
  }

  private static void fill(NvmlDevice device, GpuDraft draft) {
    draft.put(GpuField.NAME, device.name());
    draft.put(GpuField.UUID, device.uuid());
    draft.put(GpuField.BUS_ID, device.pciBusId());
    draft.put(GpuField.CAPABILITY, device.computeCapability());
    device
        .memory()
        .ifPresent(
            memory -> {
              draft.put(GpuField.MEMORY_TOTAL, memory.total() + " B");
              draft.put(GpuField.MEMORY_USED, memory.used() + " B");
            });
    draft.put(GpuField.UTILIZATION, device.utilization().map(use -> use.gpu()));
    draft.put(GpuField.TEMPERATURE, device.temperature());
    draft.put(GpuField.PERFORMANCE_STATE, device.performanceState().map(state -> "P" + state));
    device
        .pcieLink()
        .ifPresent(
            link -> {
              draft.put(GpuField.PCIE_GENERATION, Integer.toString(link.generation()));
              draft.put(GpuField.PCIE_GENERATION_MAX, Integer.toString(link.maxGeneration()));
              draft.put(GpuField.PCIE_WIDTH, Integer.toString(link.width()));
              draft.put(GpuField.PCIE_WIDTH_MAX, Integer.toString(link.maxWidth()));
            });
    draft.put(GpuField.PCIE_GENERATION_DEVICE_MAX, device.pcieDeviceGeneration());
    draft.put(GpuField.PCIE_REPLAYS, device.pcieReplays());
    List<NvLink> links = device.nvLinks();
    draft.put(GpuField.NVLINKS, Integer.toString(links.size()));
    draft.put(
        GpuField.NVLINKS_ACTIVE, Long.toString(links.stream().filter(NvLink::active).count()));
    health(device, draft);
    device
        .power()
        .ifPresent(
            power -> {
              draft.put(GpuField.POWER_DRAW, power.draw());
              draft.put(GpuField.POWER_LIMIT, power.limit());
              draft.put(GpuField.POWER_DEFAULT, power.defaultLimit());
            });
    device
        .powerRange()
        .ifPresent(
            range -> {
              draft.put(GpuField.POWER_MIN, Double.toString(range.min()));
              draft.put(GpuField.POWER_MAX, Double.toString(range.max()));
            });
    device
        .clocks()
        .ifPresent(
            clocks -> {
              draft.put(GpuField.CLOCK_SM, Integer.toString(clocks.sm()));
              draft.put(GpuField.CLOCK_MEMORY, Integer.toString(clocks.memory()));
              draft.put(GpuField.CLOCK_SM_MAX, clocks.maxSm());
              draft.put(GpuField.CLOCK_MEMORY_MAX, clocks.maxMemory());
            });
    draft.put(GpuField.CLOCK_APPLICATION, device.applicationClock());
    draft.put(GpuField.CLOCK_APPLICATION_DEFAULT, device.defaultApplicationClock());
    device
        .throttleReasons()
        .ifPresent(
            reasons ->
                draft.put(
                    GpuField.THROTTLE_MASK,
                    "0x"
                        + Long.toHexString(reasons.stream().mapToLong(ThrottleReason::bit).sum())));
    draft.put(GpuField.PERSISTENCE, device.persistenceMode());
    draft.put(GpuField.MIG, device.migMode());
    draft.put(
        GpuField.COMPUTE_MODE,
        device
            .computeMode()
            .map(
                mode ->
                    switch (mode) {
                      case 0 -> "Default";
                      case 1 -> "Exclusive_Thread";
                      case 2 -> "Prohibited";
                      case 3 -> "Exclusive_Process";
                      default -> "mode " + mode;
                    }));
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
              draft.put(GpuField.ECC, Boolean.toString(ecc.enabled()));
              draft.put(GpuField.ECC_CORRECTED, ecc.corrected());
              draft.put(GpuField.ECC_UNCORRECTED, ecc.uncorrected());
              ecc.remappedRows()
                  .ifPresent(
                      rows -> {
                        draft.put(GpuField.REMAP_CORRECTED, Long.toString(rows.corrected()));
                        draft.put(GpuField.REMAP_UNCORRECTED, Long.toString(rows.uncorrected()));
                        draft.put(GpuField.REMAP_PENDING, Boolean.toString(rows.pending()));
                        draft.put(GpuField.REMAP_FAILED, Boolean.toString(rows.failed()));
                      });
            });
    draft.put(GpuField.ECC_UNCORRECTED_EVER, device.uncorrectedErrorsEver());
    draft.put(GpuField.RETIRED_PENDING, device.retiredPagesPending());
  }
}
