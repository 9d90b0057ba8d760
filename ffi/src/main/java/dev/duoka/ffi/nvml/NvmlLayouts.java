package dev.duoka.ffi.nvml;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemoryLayout;
import java.lang.foreign.StructLayout;

/** NVML's structs, as {@code nvml.h} declares them. */
final class NvmlLayouts {
  /** Bytes that are enough for every text that NVML returns. */
  static final int TEXT_BYTES = 128;

  static final StructLayout MEMORY =
      MemoryLayout.structLayout(
              JAVA_LONG.withName("total"), JAVA_LONG.withName("free"), JAVA_LONG.withName("used"))
          .withName("nvmlMemory_t");

  static final StructLayout MEMORY_V2 =
      MemoryLayout.structLayout(
              JAVA_INT.withName("version"),
              MemoryLayout.paddingLayout(4),
              JAVA_LONG.withName("total"),
              JAVA_LONG.withName("reserved"),
              JAVA_LONG.withName("free"),
              JAVA_LONG.withName("used"))
          .withName("nvmlMemory_v2_t");

  static final StructLayout UTILIZATION =
      MemoryLayout.structLayout(JAVA_INT.withName("gpu"), JAVA_INT.withName("memory"))
          .withName("nvmlUtilization_t");

  static final StructLayout PCI_INFO =
      MemoryLayout.structLayout(
              MemoryLayout.sequenceLayout(16, JAVA_BYTE).withName("busIdLegacy"),
              JAVA_INT.withName("domain"),
              JAVA_INT.withName("bus"),
              JAVA_INT.withName("device"),
              JAVA_INT.withName("pciDeviceId"),
              JAVA_INT.withName("pciSubSystemId"),
              MemoryLayout.sequenceLayout(32, JAVA_BYTE).withName("busId"))
          .withName("nvmlPciInfo_t");

  static final StructLayout EVENT_DATA =
      MemoryLayout.structLayout(
              JAVA_LONG.withName("device"),
              JAVA_LONG.withName("eventType"),
              JAVA_LONG.withName("eventData"),
              JAVA_INT.withName("gpuInstanceId"),
              JAVA_INT.withName("computeInstanceId"))
          .withName("nvmlEventData_t");

  static final StructLayout PROCESS_INFO =
      MemoryLayout.structLayout(
              JAVA_INT.withName("pid"),
              MemoryLayout.paddingLayout(4),
              JAVA_LONG.withName("usedGpuMemory"),
              JAVA_INT.withName("gpuInstanceId"),
              JAVA_INT.withName("computeInstanceId"))
          .withName("nvmlProcessInfo_t");

  static final StructLayout FIELD_VALUE =
      MemoryLayout.structLayout(
              JAVA_INT.withName("fieldId"),
              JAVA_INT.withName("scopeId"),
              JAVA_LONG.withName("timestamp"),
              JAVA_LONG.withName("latencyUsec"),
              JAVA_INT.withName("valueType"),
              JAVA_INT.withName("nvmlReturn"),
              JAVA_LONG.withName("value"))
          .withName("nvmlFieldValue_t");

  static final StructLayout GPM_SUPPORT =
      MemoryLayout.structLayout(
              JAVA_INT.withName("version"), JAVA_INT.withName("isSupportedDevice"))
          .withName("nvmlGpmSupport_t");

  static final StructLayout GPM_METRIC =
      MemoryLayout.structLayout(
              JAVA_INT.withName("metricId"),
              JAVA_INT.withName("nvmlReturn"),
              JAVA_DOUBLE.withName("value"),
              MemoryLayout.sequenceLayout(3, ADDRESS).withName("metricInfo"))
          .withName("nvmlGpmMetric_t");

  /** With room for as many metrics as the newest header has: older drivers expect fewer. */
  static final StructLayout GPM_METRICS_GET =
      MemoryLayout.structLayout(
              JAVA_INT.withName("version"),
              JAVA_INT.withName("numMetrics"),
              JAVA_LONG.withName("sample1"),
              JAVA_LONG.withName("sample2"),
              MemoryLayout.sequenceLayout(333, GPM_METRIC).withName("metrics"))
          .withName("nvmlGpmMetricsGet_t");

  private NvmlLayouts() {}
}
