package dev.duoka.ffi.cuda;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.duoka.ffi.link.NativeFunctions;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;

/**
 * The C functions of cuBLASLt as {@code cublasLt.h} declares them. Handles, descriptors and device
 * addresses travel as {@code long}; every function but the version returns a {@code
 * cublasStatus_t}.
 */
final class CublasLtFunctions {
  final MethodHandle version;
  final MethodHandle createDescription;
  final MethodHandle setDescription;
  final MethodHandle createLayout;
  final MethodHandle createPreference;
  final MethodHandle setPreference;
  final MethodHandle destroyPreference;
  final MethodHandle heuristics;
  final MethodHandle matmul;

  CublasLtFunctions(SymbolLookup symbols) {
    NativeFunctions library = new NativeFunctions("cuBLASLt", symbols);
    version = library.required("cublasLtGetVersion", FunctionDescriptor.of(JAVA_LONG));
    createDescription =
        library.required(
            "cublasLtMatmulDescCreate",
            FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT));
    setDescription =
        library.required(
            "cublasLtMatmulDescSetAttribute",
            FunctionDescriptor.of(JAVA_INT, JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG));
    createLayout =
        library.required(
            "cublasLtMatrixLayoutCreate",
            FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_LONG));
    createPreference =
        library.required(
            "cublasLtMatmulPreferenceCreate", FunctionDescriptor.of(JAVA_INT, ADDRESS));
    setPreference =
        library.required(
            "cublasLtMatmulPreferenceSetAttribute",
            FunctionDescriptor.of(JAVA_INT, JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG));
    destroyPreference =
        library.required(
            "cublasLtMatmulPreferenceDestroy", FunctionDescriptor.of(JAVA_INT, JAVA_LONG));
    heuristics =
        library.required(
            "cublasLtMatmulAlgoGetHeuristic",
            FunctionDescriptor.of(
                JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG,
                JAVA_LONG, JAVA_INT, ADDRESS, ADDRESS));
    matmul =
        library.required(
            "cublasLtMatmul",
            FunctionDescriptor.of(
                JAVA_INT, JAVA_LONG, JAVA_LONG, ADDRESS, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG,
                ADDRESS, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, ADDRESS, JAVA_LONG, JAVA_LONG,
                JAVA_LONG));
  }
}
