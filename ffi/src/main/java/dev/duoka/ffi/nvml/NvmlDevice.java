package dev.duoka.ffi.nvml;

import dev.duoka.ffi.cuda.ComputeCapability;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * One GPU as NVML shows it. What a device does not offer is empty; a broken device throws {@link
 * dev.duoka.base.DuokaException}. Every getter asks anew. Thread-safe.
 */
public final class NvmlDevice {
  /** Links of one GPU at most, {@code NVML_NVLINK_MAX_LINKS}. */
  private static final int MOST_LINKS = 18;

  /** {@code NVML_FI_DEV_NVLINK_THROUGHPUT_DATA_TX} and {@code _RX}, in KiB. */
  private static final int NVLINK_DATA_SENT = 138;

  private static final int NVLINK_DATA_RECEIVED = 139;
  private static final int ALL_LINKS = -1;

  /** {@code nvmlPcieUtilCounter_t}. */
  private static final int SENT = 0;

  private static final int RECEIVED = 1;

  private static final int SENSOR_GPU = 0;
  private static final int CLOCK_GRAPHICS = 0;
  private static final int CLOCK_SM = 1;
  private static final int CLOCK_MEMORY = 2;
  private static final int CORRECTED = 0;
  private static final int UNCORRECTED = 1;
  private static final int SINCE_DRIVER_LOAD = 0;
  private static final int OVER_ITS_LIFE = 1;

  /** NVML's word for a performance state that it does not know. */
  private static final int NO_PERFORMANCE_STATE = 32;

  private final NvmlReader reader;
  private final int index;
  private final long handle;

  NvmlDevice(NvmlReader reader, int index, long handle) {
    this.reader = reader;
    this.index = index;
    this.handle = handle;
  }

  long handle() {
    return handle;
  }

  /** NVML's number of the device, which is nvidia-smi's but need not be CUDA's. */
  public int index() {
    return index;
  }

  /** For example {@code NVIDIA H100 80GB HBM3}. */
  public Optional<String> name() {
    return reader.text(NvmlFunction.NAME, handle);
  }

  /** The device's identity, for example {@code GPU-5f1c…}. */
  public Optional<String> uuid() {
    return reader.text(NvmlFunction.UUID, handle);
  }

  /** The device's place on the PCI bus, for example {@code 00000000:1B:00.0}. */
  public Optional<String> pciBusId() {
    return reader.text(NvmlFunction.PCI_INFO, handle);
  }

  /** The compute capability. */
  public Optional<ComputeCapability> computeCapability() {
    return reader
        .read(NvmlFunction.COMPUTE_CAPABILITY, handle)
        .map(r -> new ComputeCapability((int) r.number(0), (int) r.number(1)));
  }

  /** The device's memory, all processes counted. */
  public Optional<MemoryUse> memory() {
    Optional<MemoryUse> detailed =
        reader
            .read(NvmlFunction.MEMORY_V2, handle)
            .map(r -> new MemoryUse(r.number(1), r.number(2), r.number(3), r.number(4)));
    return detailed.isPresent()
        ? detailed
        : reader
            .read(NvmlFunction.MEMORY, handle)
            .map(r -> new MemoryUse(r.number(0), 0, r.number(1), r.number(2)));
  }

  /**
   * Bytes of device memory that a process uses. Empty when the driver does not list the process: it
   * lists the ids of the host, which differ inside a container.
   */
  public Optional<Long> memoryOf(long pid) {
    return reader
        .processes(handle)
        .flatMap(
            processes ->
                processes.list().stream()
                    .filter(process -> process.pid() == pid && process.usedMemory() != -1)
                    .map(NvmlCalls.GpuProcess::usedMemory)
                    .reduce(Long::sum)); // one entry per MIG instance
  }

  /** Bytes of device memory by process id on the host; −1 where the driver does not tell. */
  public Optional<Map<Long, Long>> processMemory() {
    return reader
        .processes(handle)
        .map(
            processes -> {
              Map<Long, Long> memory = new TreeMap<>();
              processes.list().forEach(p -> memory.merge(p.pid(), p.usedMemory(), Long::sum));
              return memory;
            });
  }

  /** As {@link #memoryOf}, of this process. */
  public Optional<Long> memoryOfThisProcess() {
    return memoryOf(ProcessHandle.current().pid());
  }

  /** How busy the device was over its last sample period (between 1/6 and 1 second). */
  public Optional<Utilization> utilization() {
    return reader
        .read(NvmlFunction.UTILIZATION, handle)
        .map(r -> new Utilization((int) r.number(0), (int) r.number(1)));
  }

  /** The chip's temperature in degrees Celsius. */
  public Optional<Integer> temperature() {
    return reader.number(NvmlFunction.TEMPERATURE, handle, SENSOR_GPU).map(Long::intValue);
  }

  /** Power in watts. */
  public Optional<Power> power() {
    Optional<Double> draw = watts(NvmlFunction.POWER_USAGE);
    Optional<Double> limit = watts(NvmlFunction.POWER_LIMIT);
    Optional<Double> defaultLimit = watts(NvmlFunction.POWER_DEFAULT_LIMIT);
    return draw.isEmpty() && limit.isEmpty()
        ? Optional.empty()
        : Optional.of(new Power(draw, limit, defaultLimit));
  }

  /** The limits between which the power limit can be set. */
  public Optional<PowerRange> powerRange() {
    return reader
        .read(NvmlFunction.POWER_RANGE, handle)
        .map(r -> new PowerRange(r.number(0) / 1000.0, r.number(1) / 1000.0));
  }

  /** Energy drawn since the driver was loaded, in joules. */
  public Optional<Double> energy() {
    return reader.number(NvmlFunction.ENERGY, handle).map(millijoules -> millijoules / 1000.0);
  }

  /** Clocks in MHz. */
  public Optional<Clocks> clocks() {
    Optional<Integer> sm = megahertz(NvmlFunction.CLOCK, CLOCK_SM);
    Optional<Integer> memory = megahertz(NvmlFunction.CLOCK, CLOCK_MEMORY);
    return sm.isEmpty() || memory.isEmpty()
        ? Optional.empty()
        : Optional.of(
            new Clocks(
                sm.get(),
                memory.get(),
                megahertz(NvmlFunction.MAX_CLOCK, CLOCK_SM),
                megahertz(NvmlFunction.MAX_CLOCK, CLOCK_MEMORY)));
  }

  /** What the graphics clock was set to in MHz, on cards that offer such a setting. */
  public Optional<Integer> applicationClock() {
    return megahertz(NvmlFunction.APPLICATION_CLOCK, CLOCK_GRAPHICS);
  }

  /** What {@link #applicationClock} is unless someone set it. */
  public Optional<Integer> defaultApplicationClock() {
    return megahertz(NvmlFunction.DEFAULT_APPLICATION_CLOCK, CLOCK_GRAPHICS);
  }

  /** From 0, the fastest, to 15. */
  public Optional<Integer> performanceState() {
    return count(NvmlFunction.PERFORMANCE_STATE).filter(state -> state != NO_PERFORMANCE_STATE);
  }

  /** Whether the driver stays loaded when no program uses the device. */
  public Optional<Boolean> persistenceMode() {
    return count(NvmlFunction.PERSISTENCE_MODE).map(mode -> mode != 0);
  }

  /** Who may use the device: 0 all, 1 one thread, 2 nobody, 3 one process. */
  public Optional<Integer> computeMode() {
    return count(NvmlFunction.COMPUTE_MODE);
  }

  /** Whether the device is cut into MIG instances; empty where it cannot be. */
  public Optional<Boolean> migMode() {
    return count(NvmlFunction.MIG_MODE).map(mode -> mode != 0);
  }

  /**
   * Why the clocks are below their maximum at this moment; an empty set when nothing holds them.
   */
  public Optional<Set<ThrottleReason>> throttleReasons() {
    return reader
        .number(NvmlFunction.THROTTLE_REASONS, handle)
        .map(
            bits -> {
              Set<ThrottleReason> reasons = EnumSet.noneOf(ThrottleReason.class);
              for (ThrottleReason reason : ThrottleReason.values()) {
                if ((bits & reason.bit()) != 0) {
                  reasons.add(reason);
                }
              }
              return reasons;
            });
  }

  /** The PCIe link; an idle device may show a lower generation than under load. */
  public Optional<PcieLink> pcieLink() {
    Optional<Integer> generation = count(NvmlFunction.PCIE_GENERATION);
    Optional<Integer> width = count(NvmlFunction.PCIE_WIDTH);
    Optional<Integer> maxGeneration = count(NvmlFunction.PCIE_MAX_GENERATION);
    Optional<Integer> maxWidth = count(NvmlFunction.PCIE_MAX_WIDTH);
    return generation.isEmpty() || width.isEmpty() || maxGeneration.isEmpty() || maxWidth.isEmpty()
        ? Optional.empty()
        : Optional.of(
            new PcieLink(generation.get(), width.get(), maxGeneration.get(), maxWidth.get()));
  }

  /** The PCIe generation that the device could run at in a better slot. */
  public Optional<Integer> pcieDeviceGeneration() {
    return count(NvmlFunction.PCIE_DEVICE_GENERATION);
  }

  /** Bytes a second over PCIe in the last 20 ms; asking takes as long, once for each way. */
  public Optional<Traffic> pcieTraffic() {
    return Traffic.of(
        reader.number(NvmlFunction.PCIE_THROUGHPUT, handle, SENT).map(kb -> kb * 1000),
        reader.number(NvmlFunction.PCIE_THROUGHPUT, handle, RECEIVED).map(kb -> kb * 1000));
  }

  /** Bytes of data over all NVLinks together, ever since the driver was loaded. */
  public Optional<Traffic> nvLinkBytes() {
    return Traffic.of(
        reader.field(handle, NVLINK_DATA_SENT, ALL_LINKS).map(kib -> kib * 1024),
        reader.field(handle, NVLINK_DATA_RECEIVED, ALL_LINKS).map(kib -> kib * 1024));
  }

  /** A meter of the device's own counters, as long as one likes. Asks the device nothing yet. */
  public GpmMeter gpm() {
    return new GpmMeter(reader, handle, System::nanoTime);
  }

  /** PCIe packets that had to be sent again. */
  public Optional<Long> pcieReplays() {
    return reader.number(NvmlFunction.PCIE_REPLAYS, handle);
  }

  /** The NVLinks that the device has, active or not; empty for a device without any. */
  public List<NvLink> nvLinks() {
    List<NvLink> links = new ArrayList<>();
    for (int link = 0; link < MOST_LINKS; link++) {
      Optional<Long> state = reader.number(NvmlFunction.NVLINK_STATE, handle, link);
      if (state.isPresent()) {
        links.add(
            new NvLink(
                link,
                state.get() == 1,
                reader.number(NvmlFunction.NVLINK_VERSION, handle, link).map(Long::intValue),
                reader
                    .number(NvmlFunction.NVLINK_REMOTE_TYPE, handle, link)
                    .map(code -> NvLink.Remote.of(code.intValue())),
                reader.text(NvmlFunction.NVLINK_REMOTE_PCI, handle, link)));
      }
    }
    return links;
  }

  /** Memory errors since the driver was loaded; empty where ECC is not offered. */
  public Optional<Ecc> ecc() {
    return reader
        .read(NvmlFunction.ECC_MODE, handle)
        .map(
            mode ->
                new Ecc(
                    mode.number(0) == 1,
                    mode.number(1) == 1,
                    errors(CORRECTED),
                    errors(UNCORRECTED),
                    reader
                        .read(NvmlFunction.REMAPPED_ROWS, handle)
                        .map(
                            rows ->
                                new Ecc.RemappedRows(
                                    rows.number(0),
                                    rows.number(1),
                                    rows.number(2) != 0,
                                    rows.number(3) != 0))));
  }

  /** Memory errors over the device's life that could not be corrected. */
  public Optional<Long> uncorrectedErrorsEver() {
    return reader.number(NvmlFunction.ECC_ERRORS, handle, UNCORRECTED, OVER_ITS_LIFE);
  }

  /** Whether a page of memory waits for a reboot to be taken out of service. */
  public Optional<Boolean> retiredPagesPending() {
    return count(NvmlFunction.RETIRED_PAGES_PENDING).map(pending -> pending != 0);
  }

  /** How far apart two devices are on the PCIe tree. */
  public Optional<TopologyLevel> topologyTo(NvmlDevice other) {
    return reader
        .number(NvmlFunction.COMMON_ANCESTOR, handle, other.handle)
        .flatMap(code -> TopologyLevel.of(code.intValue()));
  }

  /** Whether two devices can reach each other's memory in a given way. */
  public Optional<P2pStatus> p2pStatus(NvmlDevice other, P2pCapability capability) {
    return reader
        .number(NvmlFunction.P2P_STATUS, handle, other.handle, capability.code())
        .map(code -> P2pStatus.of(code.intValue()));
  }

  private Optional<Long> errors(int type) {
    return reader.number(NvmlFunction.ECC_ERRORS, handle, type, SINCE_DRIVER_LOAD);
  }

  private Optional<Double> watts(NvmlFunction function) {
    return reader.number(function, handle).map(milliwatts -> milliwatts / 1000.0);
  }

  private Optional<Integer> megahertz(NvmlFunction function, int clock) {
    return reader.number(function, handle, clock).map(Long::intValue);
  }

  private Optional<Integer> count(NvmlFunction function) {
    return reader.number(function, handle).map(Long::intValue);
  }
}
