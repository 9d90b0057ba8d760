// What all kernels share. Compiled before each source with -DELEMENT=0 (fp32), 1 (bf16) or 2 (fp16);
// the conversions are written in PTX so that no header of the CUDA toolkit is needed.

#if ELEMENT == 0
typedef float element;
__device__ __forceinline__ float widen(element x) { return x; }
__device__ __forceinline__ element narrow(float x) { return x; }
#elif ELEMENT == 1
typedef unsigned short element;
__device__ __forceinline__ float widen(element x) { return __uint_as_float((unsigned)x << 16); }
__device__ __forceinline__ element narrow(float x) {
  element bits;
  asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(bits) : "f"(x));
  return bits;
}
#else
typedef unsigned short element;
__device__ __forceinline__ float widen(element x) {
  float wide;
  asm("cvt.f32.f16 %0, %1;" : "=f"(wide) : "h"(x));
  return wide;
}
__device__ __forceinline__ element narrow(float x) {
  element bits;
  asm("cvt.rn.f16.f32 %0, %1;" : "=h"(bits) : "f"(x));
  return bits;
}
#endif

// 16 bytes of elements: the widest access of a thread.
#define PACK (16 / (int)sizeof(element))
struct __align__(16) Pack {
  element at[PACK];
};
__device__ __forceinline__ Pack load(const element* from) {
  return *reinterpret_cast<const Pack*>(from);
}
__device__ __forceinline__ void store(element* to, Pack pack) { *reinterpret_cast<Pack*>(to) = pack; }

#define ALL_LANES 0xffffffffu

__device__ __forceinline__ float warp_sum(float value) {
#pragma unroll
  for (int offset = 16; offset > 0; offset >>= 1) value += __shfl_xor_sync(ALL_LANES, value, offset);
  return value;
}

__device__ __forceinline__ float warp_max(float value) {
#pragma unroll
  for (int offset = 16; offset > 0; offset >>= 1)
    value = fmaxf(value, __shfl_xor_sync(ALL_LANES, value, offset));
  return value;
}

// The sum over the block, in every thread. Blocks are whole warps, at most 32 of them. May be called
// again at once: the first barrier keeps a fast warp from overwriting what a slow one still reads.
__device__ __forceinline__ float block_sum(float value) {
  __shared__ float sums[32];
  int lane = threadIdx.x & 31, warp = threadIdx.x >> 5, warps = blockDim.x >> 5;
  value = warp_sum(value);
  __syncthreads();
  if (lane == 0) sums[warp] = value;
  __syncthreads();
  return warp_sum(lane < warps ? sums[lane] : 0.0f);
}

__device__ __forceinline__ float block_max(float value) {
  __shared__ float largest[32];
  int lane = threadIdx.x & 31, warp = threadIdx.x >> 5, warps = blockDim.x >> 5;
  value = warp_max(value);
  __syncthreads();
  if (lane == 0) largest[warp] = value;
  __syncthreads();
  return warp_max(lane < warps ? largest[lane] : -__int_as_float(0x7f800000));
}
