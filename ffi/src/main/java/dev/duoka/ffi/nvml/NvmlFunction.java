package dev.duoka.ffi.nvml;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemoryLayout;
import java.util.ArrayList;
import java.util.List;

/**
 * The functions of NVML that are called, as {@code nvml.h} declares them: what goes in by value,
 * and what each of the trailing pointers points to. All of them only read; those of events say what
 * is to be heard.
 *
 * <p>A text result is followed by its capacity as an {@code unsigned int}, an event by the
 * milliseconds that may be waited for it, which are none.
 */
@SuppressWarnings("ImmutableEnumChecker") // lists of List.of and memory layouts are immutable
enum NvmlFunction {
  DRIVER_VERSION("nvmlSystemGetDriverVersion", List.of(), Result.TEXT),
  NVML_VERSION("nvmlSystemGetNVMLVersion", List.of(), Result.TEXT),
  CUDA_DRIVER_VERSION("nvmlSystemGetCudaDriverVersion_v2", List.of(), Result.INT),
  DEVICE_COUNT("nvmlDeviceGetCount_v2", List.of(), Result.INT),
  DEVICE_BY_INDEX("nvmlDeviceGetHandleByIndex_v2", List.of(Input.INT), Result.LONG),

  NAME("nvmlDeviceGetName", List.of(Input.DEVICE), Result.TEXT),
  UUID("nvmlDeviceGetUUID", List.of(Input.DEVICE), Result.TEXT),
  PCI_INFO("nvmlDeviceGetPciInfo_v3", List.of(Input.DEVICE), Result.PCI_INFO),
  COMPUTE_CAPABILITY(
      "nvmlDeviceGetCudaComputeCapability", List.of(Input.DEVICE), Result.INT, Result.INT),

  MEMORY("nvmlDeviceGetMemoryInfo", List.of(Input.DEVICE), Result.MEMORY),
  MEMORY_V2("nvmlDeviceGetMemoryInfo_v2", List.of(Input.DEVICE), Result.MEMORY_V2),
  UTILIZATION("nvmlDeviceGetUtilizationRates", List.of(Input.DEVICE), Result.UTILIZATION),
  TEMPERATURE("nvmlDeviceGetTemperature", List.of(Input.DEVICE, Input.INT), Result.INT),
  POWER_USAGE("nvmlDeviceGetPowerUsage", List.of(Input.DEVICE), Result.INT),
  POWER_LIMIT("nvmlDeviceGetEnforcedPowerLimit", List.of(Input.DEVICE), Result.INT),
  POWER_DEFAULT_LIMIT(
      "nvmlDeviceGetPowerManagementDefaultLimit", List.of(Input.DEVICE), Result.INT),
  POWER_RANGE(
      "nvmlDeviceGetPowerManagementLimitConstraints",
      List.of(Input.DEVICE),
      Result.INT,
      Result.INT),
  ENERGY("nvmlDeviceGetTotalEnergyConsumption", List.of(Input.DEVICE), Result.LONG),
  CLOCK("nvmlDeviceGetClockInfo", List.of(Input.DEVICE, Input.INT), Result.INT),
  MAX_CLOCK("nvmlDeviceGetMaxClockInfo", List.of(Input.DEVICE, Input.INT), Result.INT),
  APPLICATION_CLOCK("nvmlDeviceGetApplicationsClock", List.of(Input.DEVICE, Input.INT), Result.INT),
  DEFAULT_APPLICATION_CLOCK(
      "nvmlDeviceGetDefaultApplicationsClock", List.of(Input.DEVICE, Input.INT), Result.INT),
  PERFORMANCE_STATE("nvmlDeviceGetPerformanceState", List.of(Input.DEVICE), Result.INT),
  THROTTLE_REASONS("nvmlDeviceGetCurrentClocksThrottleReasons", List.of(Input.DEVICE), Result.LONG),

  PCIE_GENERATION("nvmlDeviceGetCurrPcieLinkGeneration", List.of(Input.DEVICE), Result.INT),
  PCIE_WIDTH("nvmlDeviceGetCurrPcieLinkWidth", List.of(Input.DEVICE), Result.INT),
  PCIE_MAX_GENERATION("nvmlDeviceGetMaxPcieLinkGeneration", List.of(Input.DEVICE), Result.INT),
  PCIE_MAX_WIDTH("nvmlDeviceGetMaxPcieLinkWidth", List.of(Input.DEVICE), Result.INT),

  PCIE_DEVICE_GENERATION(
      "nvmlDeviceGetGpuMaxPcieLinkGeneration", List.of(Input.DEVICE), Result.INT),
  PCIE_THROUGHPUT("nvmlDeviceGetPcieThroughput", List.of(Input.DEVICE, Input.INT), Result.INT),
  PCIE_REPLAYS("nvmlDeviceGetPcieReplayCounter", List.of(Input.DEVICE), Result.INT),

  PERSISTENCE_MODE("nvmlDeviceGetPersistenceMode", List.of(Input.DEVICE), Result.INT),
  COMPUTE_MODE("nvmlDeviceGetComputeMode", List.of(Input.DEVICE), Result.INT),
  MIG_MODE("nvmlDeviceGetMigMode", List.of(Input.DEVICE), Result.INT, Result.INT),

  NVLINK_STATE("nvmlDeviceGetNvLinkState", List.of(Input.DEVICE, Input.INT), Result.INT),
  NVLINK_VERSION("nvmlDeviceGetNvLinkVersion", List.of(Input.DEVICE, Input.INT), Result.INT),
  NVLINK_REMOTE_TYPE(
      "nvmlDeviceGetNvLinkRemoteDeviceType", List.of(Input.DEVICE, Input.INT), Result.INT),
  NVLINK_REMOTE_PCI(
      "nvmlDeviceGetNvLinkRemotePciInfo_v2", List.of(Input.DEVICE, Input.INT), Result.PCI_INFO),

  ECC_MODE("nvmlDeviceGetEccMode", List.of(Input.DEVICE), Result.INT, Result.INT),
  ECC_ERRORS(
      "nvmlDeviceGetTotalEccErrors", List.of(Input.DEVICE, Input.INT, Input.INT), Result.LONG),
  REMAPPED_ROWS(
      "nvmlDeviceGetRemappedRows",
      List.of(Input.DEVICE),
      Result.INT,
      Result.INT,
      Result.INT,
      Result.INT),

  RETIRED_PAGES_PENDING(
      "nvmlDeviceGetRetiredPagesPendingStatus", List.of(Input.DEVICE), Result.INT),

  COMMON_ANCESTOR(
      "nvmlDeviceGetTopologyCommonAncestor", List.of(Input.DEVICE, Input.DEVICE), Result.INT),
  P2P_STATUS("nvmlDeviceGetP2PStatus", List.of(Input.DEVICE, Input.DEVICE, Input.INT), Result.INT),

  EVENT_SET_CREATE("nvmlEventSetCreate", List.of(), Result.LONG),
  REGISTER_EVENTS("nvmlDeviceRegisterEvents", List.of(Input.DEVICE, Input.LONG, Input.DEVICE)),
  EVENT_SET_WAIT("nvmlEventSetWait_v2", List.of(Input.DEVICE), Result.EVENT_DATA),

  GPM_SUPPORT("nvmlGpmQueryDeviceSupport", List.of(Input.DEVICE), Result.GPM_SUPPORT),
  GPM_SAMPLE_ALLOC("nvmlGpmSampleAlloc", List.of(), Result.LONG),
  GPM_SAMPLE_GET("nvmlGpmSampleGet", List.of(Input.DEVICE, Input.DEVICE));

  /** What goes in by value. */
  enum Input {
    /** A handle: of a device, of a set of events, or of a sample. */
    DEVICE(JAVA_LONG),
    INT(JAVA_INT),
    LONG(JAVA_LONG);

    final MemoryLayout layout;

    Input(MemoryLayout layout) {
      this.layout = layout;
    }
  }

  /** What a pointer points to. */
  enum Result {
    INT(JAVA_INT),
    LONG(JAVA_LONG),
    TEXT(MemoryLayout.sequenceLayout(NvmlLayouts.TEXT_BYTES, JAVA_BYTE)),
    MEMORY(NvmlLayouts.MEMORY),
    MEMORY_V2(NvmlLayouts.MEMORY_V2),
    UTILIZATION(NvmlLayouts.UTILIZATION),
    PCI_INFO(NvmlLayouts.PCI_INFO),
    EVENT_DATA(NvmlLayouts.EVENT_DATA),
    GPM_SUPPORT(NvmlLayouts.GPM_SUPPORT);

    final MemoryLayout layout;

    Result(MemoryLayout layout) {
      this.layout = layout;
    }
  }

  private final String symbol;
  private final List<Input> inputs;
  private final List<Result> results;

  NvmlFunction(String symbol, List<Input> inputs, Result... results) {
    this.symbol = symbol;
    this.inputs = inputs;
    this.results = List.of(results);
  }

  String symbol() {
    return symbol;
  }

  List<Input> inputs() {
    return inputs;
  }

  List<Result> results() {
    return results;
  }

  FunctionDescriptor descriptor() {
    List<MemoryLayout> arguments = new ArrayList<>();
    inputs.forEach(input -> arguments.add(input.layout));
    for (Result result : results) {
      arguments.add(ADDRESS);
      if (result == Result.TEXT || result == Result.EVENT_DATA) {
        arguments.add(JAVA_INT);
      }
    }
    return FunctionDescriptor.of(JAVA_INT, arguments.toArray(MemoryLayout[]::new));
  }
}
