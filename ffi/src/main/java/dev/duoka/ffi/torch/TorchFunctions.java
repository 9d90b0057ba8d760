package dev.duoka.ffi.torch;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BOOLEAN;
import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.duoka.ffi.link.NativeFunctions;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.invoke.MethodHandle;
import java.util.Optional;

/**
 * The C functions of LibTorch, one constant per symbol, as declared in {@code
 * torch/csrc/inductor/aoti_torch/c/shim.h} and {@code torch/csrc/stable/c/shim.h}.
 *
 * <p>Handles travel as {@code long}. Every function that returns {@code int} returns 0 for success.
 */
final class TorchFunctions {
  private static final NativeFunctions C = NativeFunctions.deferred("LibTorch", LibTorch::symbols);

  /** For getters that neither block nor call back: such a call costs a third of a normal one. */
  private static final Linker.Option SHORT = Linker.Option.critical(false);

  private static final FunctionDescriptor GETTER =
      FunctionDescriptor.of(JAVA_INT, JAVA_LONG, ADDRESS);
  private static final FunctionDescriptor CONSTANT = FunctionDescriptor.of(JAVA_INT);
  private static final FunctionDescriptor CONSUMER = FunctionDescriptor.of(JAVA_INT, JAVA_LONG);

  static final MethodHandle ABI_VERSION =
      C.required("aoti_torch_abi_version", FunctionDescriptor.of(JAVA_LONG));

  // Calling operators.
  static final MethodHandle CALL_DISPATCHER =
      C.required(
          "torch_call_dispatcher",
          FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS, ADDRESS, JAVA_LONG));
  static final MethodHandle NEW_LIST =
      C.required(
          "torch_new_list_reserve_size", FunctionDescriptor.of(JAVA_INT, JAVA_LONG, ADDRESS));
  static final MethodHandle LIST_PUSH =
      C.required("torch_list_push_back", FunctionDescriptor.of(JAVA_INT, JAVA_LONG, JAVA_LONG));
  static final MethodHandle LIST_GET =
      C.required(
          "torch_list_get_item", FunctionDescriptor.of(JAVA_INT, JAVA_LONG, JAVA_LONG, ADDRESS));
  static final MethodHandle LIST_SIZE = C.required("torch_list_size", GETTER);
  static final MethodHandle DELETE_LIST = C.required("torch_delete_list", CONSUMER);

  /**
   * From LibTorch 2.13 on; before that, optional arguments are allocated by {@link #OPERATOR_NEW}.
   */
  static final Optional<MethodHandle> NEW_STABLE_IVALUE =
      C.optional("torch_new_stable_ivalue", FunctionDescriptor.of(JAVA_INT, ADDRESS));

  /** C++ {@code operator new(size_t)}: LibTorch frees optional arguments with {@code delete}. */
  static final MethodHandle OPERATOR_NEW =
      C.required("_Znwm", FunctionDescriptor.of(JAVA_LONG, JAVA_LONG));

  /**
   * The message of this thread's last error, from LibTorch 2.13 on; before that it is on stderr.
   */
  static final Optional<MethodHandle> EXCEPTION_MESSAGE =
      C.optional("torch_exception_get_what", FunctionDescriptor.of(ADDRESS));

  // Handles.
  static final MethodHandle NEW_TENSOR_HANDLE = C.required("aoti_torch_new_tensor_handle", GETTER);
  static final MethodHandle NEW_UNINITIALIZED =
      C.required("aoti_torch_new_uninitialized_tensor", FunctionDescriptor.of(JAVA_INT, ADDRESS));
  static final MethodHandle DELETE_TENSOR = C.required("aoti_torch_delete_tensor_object", CONSUMER);
  static final MethodHandle EMPTY_STRIDED =
      C.required(
          "aoti_torch_empty_strided",
          FunctionDescriptor.of(
              JAVA_INT, JAVA_LONG, ADDRESS, ADDRESS, JAVA_INT, JAVA_INT, JAVA_INT, ADDRESS));
  static final MethodHandle EMPTY_STRIDED_PINNED =
      C.required(
          "aoti_torch_empty_strided_pinned",
          FunctionDescriptor.of(
              JAVA_INT, JAVA_LONG, ADDRESS, ADDRESS, JAVA_INT, JAVA_INT, JAVA_INT, ADDRESS));
  static final MethodHandle REINTERPRET =
      C.required(
          "aoti_torch__reinterpret_tensor",
          FunctionDescriptor.of(
              JAVA_INT, JAVA_LONG, JAVA_LONG, ADDRESS, ADDRESS, JAVA_LONG, ADDRESS));

  // Metadata of a tensor.
  static final MethodHandle DATA_POINTER = C.required("aoti_torch_get_data_ptr", GETTER, SHORT);
  static final MethodHandle DIM = C.required("aoti_torch_get_dim", GETTER, SHORT);
  static final MethodHandle SIZES = C.required("aoti_torch_get_sizes", GETTER, SHORT);
  static final MethodHandle STRIDES = C.required("aoti_torch_get_strides", GETTER, SHORT);
  static final MethodHandle DTYPE = C.required("aoti_torch_get_dtype", GETTER, SHORT);
  static final MethodHandle DEVICE_TYPE = C.required("aoti_torch_get_device_type", GETTER, SHORT);
  static final MethodHandle DEVICE_INDEX = C.required("aoti_torch_get_device_index", GETTER, SHORT);
  static final MethodHandle STORAGE_OFFSET =
      C.required("aoti_torch_get_storage_offset", GETTER, SHORT);
  static final MethodHandle STORAGE_SIZE = C.required("aoti_torch_get_storage_size", GETTER, SHORT);

  // Typed functions where the dispatcher refuses the schema type Scalar.
  static final MethodHandle SUBTRACT =
      C.required(
          "aoti_torch_aten_subtract_Tensor",
          FunctionDescriptor.of(JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_DOUBLE, ADDRESS));
  static final MethodHandle FILL =
      C.required(
          "aoti_torch_aten_fill__Scalar", FunctionDescriptor.of(JAVA_INT, JAVA_LONG, JAVA_DOUBLE));
  static final FunctionDescriptor ADDMM_OUT =
      FunctionDescriptor.of(
          JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_DOUBLE, JAVA_DOUBLE);
  static final MethodHandle CPU_ADDMM_OUT = C.required("aoti_torch_cpu_addmm_out", ADDMM_OUT);
  static final Optional<MethodHandle> CUDA_ADDMM_OUT =
      C.optional("aoti_torch_cuda_addmm_out", ADDMM_OUT);

  // Threads of CPU operators.
  static final MethodHandle INTRA_OP_THREADS =
      C.required("torch_get_num_threads", FunctionDescriptor.of(JAVA_INT, ADDRESS));
  static final Optional<MethodHandle> OMP_SET_THREADS =
      C.optional("omp_set_num_threads", FunctionDescriptor.ofVoid(JAVA_INT));
  static final Optional<MethodHandle> OPENBLAS_SET_THREADS =
      C.optional("openblas_set_num_threads", FunctionDescriptor.ofVoid(JAVA_INT));
  static final Optional<MethodHandle> OMP_GET_THREADS =
      C.optional("omp_get_max_threads", FunctionDescriptor.of(JAVA_INT));
  static final Optional<MethodHandle> OPENBLAS_GET_THREADS =
      C.optional("openblas_get_num_threads", FunctionDescriptor.of(JAVA_INT));

  // CUDA streams, in the CUDA build.
  static final Optional<MethodHandle> CURRENT_CUDA_STREAM =
      C.optional(
          "aoti_torch_get_current_cuda_stream", FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS));
  static final Optional<MethodHandle> CREATE_CUDA_GUARD =
      C.optional(
          "aoti_torch_create_cuda_guard", FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS));

  static final Optional<MethodHandle> CREATE_STREAM_GUARD =
      C.optional(
          "aoti_torch_create_cuda_stream_guard",
          FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT, ADDRESS));
  static final Optional<MethodHandle> DELETE_STREAM_GUARD =
      C.optional("aoti_torch_delete_cuda_stream_guard", FunctionDescriptor.of(JAVA_INT, JAVA_LONG));

  static final Optional<MethodHandle> CURRENT_BLAS_HANDLE =
      C.optional("torch_get_current_cuda_blas_handle", FunctionDescriptor.of(JAVA_INT, ADDRESS));

  /** C++ functions of {@code ATen/Context.h}: the C ABI has no switch for deterministic kernels. */
  static final Optional<MethodHandle> GLOBAL_CONTEXT =
      C.optional("_ZN2at13globalContextEv", FunctionDescriptor.of(JAVA_LONG));

  /** {@code Context::setDeterministicAlgorithms(bool, bool warnOnly)}. */
  static final Optional<MethodHandle> SET_DETERMINISTIC =
      C.optional(
          "_ZN2at7Context26setDeterministicAlgorithmsEbb",
          FunctionDescriptor.ofVoid(JAVA_LONG, JAVA_BOOLEAN, JAVA_BOOLEAN));

  /** {@code Context::setDeterministicFillUninitializedMemory(bool)}. */
  static final Optional<MethodHandle> SET_FILL_UNINITIALIZED =
      C.optional(
          "_ZN2at7Context39setDeterministicFillUninitializedMemoryEb",
          FunctionDescriptor.ofVoid(JAVA_LONG, JAVA_BOOLEAN));

  // LibTorch's own flash attention, for the same reason as cuDNN's.
  static final Optional<MethodHandle> FLASH_ATTENTION =
      C.optional(
          "aoti_torch_cuda__scaled_dot_product_flash_attention",
          FunctionDescriptor.of(
              JAVA_INT,
              JAVA_LONG,
              JAVA_LONG,
              JAVA_LONG,
              JAVA_DOUBLE,
              JAVA_INT,
              JAVA_INT,
              ADDRESS,
              ADDRESS,
              ADDRESS,
              ADDRESS,
              ADDRESS,
              ADDRESS,
              ADDRESS,
              ADDRESS,
              ADDRESS,
              ADDRESS));
  static final Optional<MethodHandle> FLASH_ATTENTION_BACKWARD =
      C.optional(
          "aoti_torch_cuda__scaled_dot_product_flash_attention_backward",
          FunctionDescriptor.of(
              JAVA_INT,
              JAVA_LONG,
              JAVA_LONG,
              JAVA_LONG,
              JAVA_LONG,
              JAVA_LONG,
              JAVA_LONG,
              JAVA_LONG,
              JAVA_LONG,
              JAVA_LONG,
              JAVA_LONG,
              JAVA_DOUBLE,
              JAVA_INT,
              JAVA_LONG,
              JAVA_LONG,
              ADDRESS,
              ADDRESS,
              ADDRESS,
              ADDRESS));

  // Attention by cuDNN: the dispatcher shim pairs result types in reverse order and fails here.
  static final Optional<MethodHandle> CUDNN_ATTENTION =
      C.optional(
          "aoti_torch_cuda__scaled_dot_product_cudnn_attention",
          FunctionDescriptor.of(
              JAVA_INT,
              JAVA_LONG,
              JAVA_LONG,
              JAVA_LONG,
              ADDRESS,
              JAVA_INT,
              JAVA_DOUBLE,
              JAVA_INT,
              JAVA_INT,
              ADDRESS,
              ADDRESS,
              ADDRESS,
              ADDRESS,
              ADDRESS,
              ADDRESS,
              ADDRESS,
              ADDRESS,
              ADDRESS,
              ADDRESS));
  static final Optional<MethodHandle> CUDNN_ATTENTION_BACKWARD =
      C.optional(
          "aoti_torch_cuda__scaled_dot_product_cudnn_attention_backward",
          FunctionDescriptor.of(
              JAVA_INT,
              JAVA_LONG,
              JAVA_LONG,
              JAVA_LONG,
              JAVA_LONG,
              JAVA_LONG,
              JAVA_LONG,
              JAVA_LONG,
              JAVA_LONG,
              JAVA_LONG,
              JAVA_LONG,
              JAVA_LONG,
              JAVA_LONG,
              JAVA_LONG,
              JAVA_DOUBLE,
              JAVA_INT,
              ADDRESS,
              ADDRESS,
              ADDRESS,
              ADDRESS));

  private TorchFunctions() {}

  static long abiVersion() {
    try {
      return (long) ABI_VERSION.invokeExact();
    } catch (Throwable t) {
      throw NativeFunctions.unexpected(t);
    }
  }

  /** A code that LibTorch gives through a function without arguments, for example a dtype's. */
  static int constant(String name) {
    try {
      return (int) C.required(name, CONSTANT).invokeExact();
    } catch (Throwable t) {
      throw NativeFunctions.unexpected(t);
    }
  }
}
