// What kernels share that multiply with compute capability 9.0: the copy engine brings boxes of matrices into a
// ring of stages in shared memory, and each group of four warps multiplies them with one instruction (PTX ISA,
// "Asynchronous Warpgroup Level Matrix"). Behind common.cuh, for 16-bit elements.
//
#if ELEMENT == 1
#define OPERANDS "bf16.bf16"
#else
#define OPERANDS "f16.f16"
#endif

#define DEPTH 64                 // rows of a box, and elements that a step sums over
#define WIDTH 64                 // columns of a box: 128 bytes, the widest swizzle
#define BOX (DEPTH * WIDTH * 2)  // bytes of a box
#define CONSUMERS 2              // groups of four warps that multiply, each 64 rows of the result
#define TILE_M (CONSUMERS * 64)
#define TILE_N 256
#define SUMS (TILE_N / 2)        // of a thread: 64 · TILE_N over 128 threads
#define STAGE (BOX * (TILE_M + TILE_N) / WIDTH)
#define STAGES 4

typedef unsigned long long u64;
struct __align__(64) TensorMap {
  u64 words[16];
};

__device__ __forceinline__ unsigned shared_address(const void* pointer) {
  return (unsigned)__cvta_generic_to_shared(pointer);
}

__device__ __forceinline__ void barrier_init(unsigned barrier, int count) {
  asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(barrier), "r"(count));
}

__device__ __forceinline__ void barrier_wait(unsigned barrier, int parity) {
  asm volatile(
      "{\n.reg .pred done;\nAGAIN:\n"
      "mbarrier.try_wait.parity.shared::cta.b64 done, [%0], %1;\n"
      "@!done bra AGAIN;\n}\n" ::"r"(barrier),
      "r"(parity)
      : "memory");
}

__device__ __forceinline__ void barrier_arrive(unsigned barrier) {
  asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" ::"r"(barrier) : "memory");
}

__device__ __forceinline__ void expect(unsigned barrier, int bytes) {
  asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(barrier), "r"(bytes) : "memory");
}

// Has the copy engine bring a box, which the barrier counts; what lies outside of the matrix is zero.
__device__ __forceinline__ void fetch(unsigned to, const TensorMap* from, int column, int row, unsigned barrier) {
  asm volatile(
      "cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1, {%2, %3}], [%4];" ::"r"(
          to),
      "l"(from), "r"(column), "r"(row), "r"(barrier)
      : "memory");
}

// Where the tensor cores find a tile whose columns lie side by side, those that are summed over below each other
// ("MN-major"): boxes of 64 columns one after the other, groups of 8 rows in each 1,024 bytes apart, 16-byte
// pieces swizzled. 16 rows on: 2,048 bytes.
__device__ __forceinline__ u64 tile(unsigned address) {
  return (u64)((address & 0x3ffff) >> 4) | (u64)(BOX >> 4) << 16 | (u64)(1024 >> 4) << 32 | 1ull << 62;
}

// The same for a tile whose rows lie along what is summed over ("K-major"): 64 of it in a row of 128 bytes, groups
// of 8 rows 1,024 bytes apart. 16 elements on: 32 bytes.
__device__ __forceinline__ u64 tile_of_rows(unsigned address) {
  return (u64)((address & 0x3ffff) >> 4) | 1ull << 16 | (u64)(1024 >> 4) << 32 | 1ull << 62;
}

// d += a · b for 64 rows and 256 columns, over 16 elements: one instruction of the four warps of a group.
// TRANSPOSED: of a and of b, 1 where it is MN-major and 0 where it is K-major.
#define MULTIPLY(NAME, TRANSPOSED)                                                \
  __device__ __forceinline__ void NAME(float (&d)[SUMS], u64 a, u64 b) {            \
    asm volatile( \
        "wgmma.mma_async.sync.aligned.m64n256k16.f32." OPERANDS " {" \
        "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, " \
        "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, " \
        "%32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47, " \
        "%48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63, " \
        "%64, %65, %66, %67, %68, %69, %70, %71, %72, %73, %74, %75, %76, %77, %78, %79, " \
        "%80, %81, %82, %83, %84, %85, %86, %87, %88, %89, %90, %91, %92, %93, %94, %95, " \
        "%96, %97, %98, %99, %100, %101, %102, %103, %104, %105, %106, %107, %108, %109, %110, %111, " \
        "%112, %113, %114, %115, %116, %117, %118, %119, %120, %121, %122, %123, %124, %125, %126, %127}, " \
        "%128, %129, 1, 1, 1, " TRANSPOSED ";" \
        : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3]), "+f"(d[4]), "+f"(d[5]), "+f"(d[6]), "+f"(d[7]), \
          "+f"(d[8]), "+f"(d[9]), "+f"(d[10]), "+f"(d[11]), "+f"(d[12]), "+f"(d[13]), "+f"(d[14]), "+f"(d[15]), \
          "+f"(d[16]), "+f"(d[17]), "+f"(d[18]), "+f"(d[19]), "+f"(d[20]), "+f"(d[21]), "+f"(d[22]), "+f"(d[23]), \
          "+f"(d[24]), "+f"(d[25]), "+f"(d[26]), "+f"(d[27]), "+f"(d[28]), "+f"(d[29]), "+f"(d[30]), "+f"(d[31]), \
          "+f"(d[32]), "+f"(d[33]), "+f"(d[34]), "+f"(d[35]), "+f"(d[36]), "+f"(d[37]), "+f"(d[38]), "+f"(d[39]), \
          "+f"(d[40]), "+f"(d[41]), "+f"(d[42]), "+f"(d[43]), "+f"(d[44]), "+f"(d[45]), "+f"(d[46]), "+f"(d[47]), \
          "+f"(d[48]), "+f"(d[49]), "+f"(d[50]), "+f"(d[51]), "+f"(d[52]), "+f"(d[53]), "+f"(d[54]), "+f"(d[55]), \
          "+f"(d[56]), "+f"(d[57]), "+f"(d[58]), "+f"(d[59]), "+f"(d[60]), "+f"(d[61]), "+f"(d[62]), "+f"(d[63]), \
          "+f"(d[64]), "+f"(d[65]), "+f"(d[66]), "+f"(d[67]), "+f"(d[68]), "+f"(d[69]), "+f"(d[70]), "+f"(d[71]), \
          "+f"(d[72]), "+f"(d[73]), "+f"(d[74]), "+f"(d[75]), "+f"(d[76]), "+f"(d[77]), "+f"(d[78]), "+f"(d[79]), \
          "+f"(d[80]), "+f"(d[81]), "+f"(d[82]), "+f"(d[83]), "+f"(d[84]), "+f"(d[85]), "+f"(d[86]), "+f"(d[87]), \
          "+f"(d[88]), "+f"(d[89]), "+f"(d[90]), "+f"(d[91]), "+f"(d[92]), "+f"(d[93]), "+f"(d[94]), "+f"(d[95]), \
          "+f"(d[96]), "+f"(d[97]), "+f"(d[98]), "+f"(d[99]), "+f"(d[100]), "+f"(d[101]), "+f"(d[102]), "+f"(d[103]), \
          "+f"(d[104]), "+f"(d[105]), "+f"(d[106]), "+f"(d[107]), "+f"(d[108]), "+f"(d[109]), "+f"(d[110]), "+f"(d[111]), \
          "+f"(d[112]), "+f"(d[113]), "+f"(d[114]), "+f"(d[115]), "+f"(d[116]), "+f"(d[117]), "+f"(d[118]), "+f"(d[119]), \
          "+f"(d[120]), "+f"(d[121]), "+f"(d[122]), "+f"(d[123]), "+f"(d[124]), "+f"(d[125]), "+f"(d[126]), "+f"(d[127]) \
        : "l"(a), "l"(b)); \
  }

MULTIPLY(multiply_columns, "1, 1")  // aᵀ · b, both stored with what is summed over as rows
MULTIPLY(multiply_rows, "0, 0")     // a · bᵀ, both stored with what is summed over as columns
MULTIPLY(multiply_mixed, "0, 1")    // a · b as they are stored

// Before products are launched, and after they have ended, sums must be where they are.
__device__ __forceinline__ void settle(float (&sum)[SUMS]) {
#pragma unroll
  for (int i = 0; i < SUMS; i++) asm volatile("" : "+f"(sum[i])::"memory");
}
