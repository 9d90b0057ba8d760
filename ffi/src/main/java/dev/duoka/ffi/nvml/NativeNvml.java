package dev.duoka.ffi.nvml;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.duoka.ffi.link.NativeFunctions;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SequenceLayout;
import java.lang.foreign.StructLayout;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * NVML itself. A symbol that this version of the library lacks disables only what needs it.
 *
 * <p>Calls take microseconds to milliseconds each, so they go through generic method handles.
 */
final class NativeNvml implements NvmlCalls {
  private static final int INSUFFICIENT_SIZE = 7;
  private static final int MORE_PROCESSES = 16;

  /** {@code nvmlValueType_t} of whole numbers. */
  private static final int UNSIGNED_INT = 1;

  private static final int UNSIGNED_LONG = 2;
  private static final int UNSIGNED_LONG_LONG = 3;
  private static final int SIGNED_LONG_LONG = 4;

  /** {@code NVML_GPM_SUPPORT_VERSION} and {@code NVML_GPM_METRICS_GET_VERSION}. */
  private static final int GPM_VERSION = 1;

  /** {@code NVML_ERROR_NOT_SUPPORTED}, for a field that is no whole number. */
  private static final int NO_SUCH_TYPE = 3;

  private final Map<NvmlFunction, MethodHandle> handles = new EnumMap<>(NvmlFunction.class);
  private final MethodHandle init;
  private final MethodHandle errorString;
  private final Optional<MethodHandle> runningProcesses;
  private final Optional<MethodHandle> fieldValues;
  private final Optional<MethodHandle> gpmMetrics;

  NativeNvml(SymbolLookup symbols) {
    NativeFunctions library = new NativeFunctions("NVML", symbols);
    init = library.required("nvmlInit_v2", FunctionDescriptor.of(JAVA_INT));
    errorString = library.required("nvmlErrorString", FunctionDescriptor.of(ADDRESS, JAVA_INT));
    runningProcesses =
        library.optional(
            "nvmlDeviceGetComputeRunningProcesses_v3",
            FunctionDescriptor.of(JAVA_INT, JAVA_LONG, ADDRESS, ADDRESS));
    fieldValues =
        library.optional(
            "nvmlDeviceGetFieldValues",
            FunctionDescriptor.of(JAVA_INT, JAVA_LONG, JAVA_INT, ADDRESS));
    gpmMetrics = library.optional("nvmlGpmMetricsGet", FunctionDescriptor.of(JAVA_INT, ADDRESS));
    for (NvmlFunction function : NvmlFunction.values()) {
      library
          .optional(function.symbol(), function.descriptor())
          .ifPresent(handle -> handles.put(function, handle));
    }
  }

  int init() {
    try {
      return (int) init.invokeExact();
    } catch (Throwable t) {
      throw NativeFunctions.unexpected(t);
    }
  }

  @Override
  public NvmlReply call(NvmlFunction function, long... arguments) {
    MethodHandle handle = handles.get(function);
    if (handle == null) {
      return NvmlReply.failed(FUNCTION_NOT_FOUND);
    }
    if (arguments.length != function.inputs().size()) {
      throw new IllegalArgumentException(function + " takes " + function.inputs());
    }
    try (Arena arena = Arena.ofConfined()) {
      List<Object> values = new ArrayList<>();
      for (int i = 0; i < arguments.length; i++) {
        switch (function.inputs().get(i)) {
          case DEVICE, LONG -> values.add(arguments[i]);
          case INT -> values.add((int) arguments[i]);
        }
      }
      List<MemorySegment> results = new ArrayList<>();
      for (NvmlFunction.Result result : function.results()) {
        MemorySegment segment = arena.allocate(result.layout);
        if (result == NvmlFunction.Result.MEMORY_V2) {
          segment.set(JAVA_INT, 0, version(result.layout, 2));
        } else if (result == NvmlFunction.Result.GPM_SUPPORT) {
          segment.set(JAVA_INT, 0, GPM_VERSION);
        }
        results.add(segment);
        values.add(segment);
        if (result == NvmlFunction.Result.TEXT) {
          values.add(NvmlLayouts.TEXT_BYTES);
        } else if (result == NvmlFunction.Result.EVENT_DATA) {
          values.add(0); // milliseconds: what has not happened yet is not waited for
        }
      }
      int code = (int) handle.invokeWithArguments(values);
      return code == NvmlReply.SUCCESS ? read(function.results(), results) : NvmlReply.failed(code);
    } catch (Throwable t) {
      throw NativeFunctions.unexpected(t);
    }
  }

  @Override
  public Processes processes(long device) {
    if (runningProcesses.isEmpty()) {
      return new Processes(FUNCTION_NOT_FOUND, List.of());
    }
    int capacity = MORE_PROCESSES;
    while (true) {
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment count = arena.allocateFrom(JAVA_INT, capacity);
        MemorySegment infos = arena.allocate(NvmlLayouts.PROCESS_INFO, capacity);
        int code = (int) runningProcesses.get().invokeExact(device, count, infos);
        int found = count.get(JAVA_INT, 0);
        if (code == INSUFFICIENT_SIZE && found > capacity) {
          capacity = found + MORE_PROCESSES; // more may start until the next call
          continue;
        }
        return code == NvmlReply.SUCCESS
            ? new Processes(code, list(infos, Math.min(found, capacity)))
            : new Processes(code, List.of());
      } catch (Throwable t) {
        throw NativeFunctions.unexpected(t);
      }
    }
  }

  @Override
  public NvmlReply field(long device, int id, int scope) {
    if (fieldValues.isEmpty()) {
      return NvmlReply.failed(FUNCTION_NOT_FOUND);
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment field = arena.allocate(NvmlLayouts.FIELD_VALUE);
      field.set(JAVA_INT, offset(NvmlLayouts.FIELD_VALUE, "fieldId"), id);
      field.set(JAVA_INT, offset(NvmlLayouts.FIELD_VALUE, "scopeId"), scope);
      int code = (int) fieldValues.get().invokeExact(device, 1, field);
      if (code == NvmlReply.SUCCESS) {
        code = field.get(JAVA_INT, offset(NvmlLayouts.FIELD_VALUE, "nvmlReturn"));
      }
      if (code != NvmlReply.SUCCESS) {
        return NvmlReply.failed(code);
      }
      int type = field.get(JAVA_INT, offset(NvmlLayouts.FIELD_VALUE, "valueType"));
      long value = offset(NvmlLayouts.FIELD_VALUE, "value");
      return switch (type) {
        case UNSIGNED_INT -> NvmlReply.of(Integer.toUnsignedLong(field.get(JAVA_INT, value)));
        case UNSIGNED_LONG, UNSIGNED_LONG_LONG, SIGNED_LONG_LONG ->
            NvmlReply.of(field.get(JAVA_LONG, value));
        default -> NvmlReply.failed(NO_SUCH_TYPE);
      };
    } catch (Throwable t) {
      throw NativeFunctions.unexpected(t);
    }
  }

  @Override
  public GpmValues gpm(long before, long after, List<Integer> ids) {
    if (gpmMetrics.isEmpty()) {
      return new GpmValues(FUNCTION_NOT_FOUND, Map.of());
    }
    StructLayout layout = NvmlLayouts.GPM_METRICS_GET;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment get = arena.allocate(layout);
      get.set(JAVA_INT, offset(layout, "version"), GPM_VERSION);
      get.set(JAVA_INT, offset(layout, "numMetrics"), ids.size());
      get.set(JAVA_LONG, offset(layout, "sample1"), before);
      get.set(JAVA_LONG, offset(layout, "sample2"), after);
      StructLayout metric = NvmlLayouts.GPM_METRIC;
      for (int i = 0; i < ids.size(); i++) {
        get.set(JAVA_INT, metric(i) + offset(metric, "metricId"), ids.get(i));
      }
      int code = (int) gpmMetrics.get().invokeExact(get);
      Map<Integer, Double> values = new HashMap<>();
      for (int i = 0; code == NvmlReply.SUCCESS && i < ids.size(); i++) {
        double value = get.get(JAVA_DOUBLE, metric(i) + offset(metric, "value"));
        int own = get.get(JAVA_INT, metric(i) + offset(metric, "nvmlReturn"));
        if (own == NvmlReply.SUCCESS && Double.isFinite(value)) {
          values.put(ids.get(i), value);
        }
      }
      return new GpmValues(code, values);
    } catch (Throwable t) {
      throw NativeFunctions.unexpected(t);
    }
  }

  private static long metric(int index) {
    return offset(NvmlLayouts.GPM_METRICS_GET, "metrics")
        + index * NvmlLayouts.GPM_METRIC.byteSize();
  }

  @Override
  @SuppressWarnings("restricted") // bounded view of a static C string
  public String describe(int code) {
    try {
      MemorySegment text = (MemorySegment) errorString.invokeExact(code);
      return text.address() == 0 ? "code " + code : text.reinterpret(4096).getString(0);
    } catch (Throwable t) {
      throw NativeFunctions.unexpected(t);
    }
  }

  private static List<GpuProcess> list(MemorySegment infos, int count) {
    long size = NvmlLayouts.PROCESS_INFO.byteSize();
    long pid = offset(NvmlLayouts.PROCESS_INFO, "pid");
    long memory = offset(NvmlLayouts.PROCESS_INFO, "usedGpuMemory");
    List<GpuProcess> list = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      list.add(
          new GpuProcess(
              Integer.toUnsignedLong(infos.get(JAVA_INT, i * size + pid)),
              infos.get(JAVA_LONG, i * size + memory)));
    }
    return list;
  }

  private static NvmlReply read(List<NvmlFunction.Result> kinds, List<MemorySegment> results) {
    List<Long> numbers = new ArrayList<>();
    String text = "";
    for (int i = 0; i < kinds.size(); i++) {
      List<MemoryLayout> members =
          kinds.get(i).layout instanceof StructLayout struct
              ? struct.memberLayouts()
              : List.of(kinds.get(i).layout);
      long position = 0;
      for (MemoryLayout member : members) {
        MemorySegment value = results.get(i).asSlice(position, member.byteSize());
        switch (member) {
          case ValueLayout.OfInt layout ->
              numbers.add(Integer.toUnsignedLong(value.get(layout, 0)));
          case ValueLayout.OfLong layout -> numbers.add(value.get(layout, 0));
          case SequenceLayout _ -> text = value.getString(0);
          default -> {} // padding
        }
        position += member.byteSize();
      }
    }
    return new NvmlReply(NvmlReply.SUCCESS, numbers, text);
  }

  /** The {@code version} field of a struct: its size, and its version in the top byte. */
  private static int version(MemoryLayout layout, int version) {
    return (int) layout.byteSize() | version << 24;
  }

  private static long offset(StructLayout layout, String field) {
    return layout.byteOffset(MemoryLayout.PathElement.groupElement(field));
  }
}
