// One AdamW step over flat buffers (Loshchilov and Hutter, arXiv:1711.05101): unscaling, clipping by
// the global norm, the update and the copy to the compute dtype in one pass. Nothing happens when the
// norm is not finite. The order of operations is PyTorch's.

struct __align__(16) Four {
  float at[4];
};
struct __align__(8) FourHalves {
  unsigned short at[4];
};

#if ELEMENT == 1
// Weights in bf16 and the remainders that make them whole, as MasterCode says in Java.
__device__ __forceinline__ float join(unsigned short nearest, unsigned short remainder) {
  return __uint_as_float(((unsigned)nearest << 16) + (int)(short)remainder);
}

__device__ __forceinline__ unsigned short remainder_of(float whole, unsigned short nearest) {
  return (unsigned short)min((int)(__float_as_uint(whole) - ((unsigned)nearest << 16)), 32767);
}
#endif

// Four weights, from their master or from what they are computed with and the remainders.
__device__ __forceinline__ Four read_weights(const void* master, int remainders, const element* values, long long i) {
#if ELEMENT == 1
  if (remainders) {
    FourHalves near = *reinterpret_cast<const FourHalves*>(values + i);
    FourHalves rest = *reinterpret_cast<const FourHalves*>((const unsigned short*)master + i);
    Four whole;
#pragma unroll
    for (int k = 0; k < 4; k++) whole.at[k] = join(near.at[k], rest.at[k]);
    return whole;
  }
#endif
  return *reinterpret_cast<const Four*>((const float*)master + i);
}

// The opposite; weights that are their own master have no values beside it.
__device__ __forceinline__ void write_weights(void* master, int remainders, element* values, long long i,
                                              const Four& whole) {
#if ELEMENT != 0
  FourHalves near;
#pragma unroll
  for (int k = 0; k < 4; k++) near.at[k] = narrow(whole.at[k]);
  *reinterpret_cast<FourHalves*>(values + i) = near;
#endif
#if ELEMENT == 1
  if (remainders) {
    FourHalves rest;
#pragma unroll
    for (int k = 0; k < 4; k++) rest.at[k] = remainder_of(whole.at[k], near.at[k]);
    *reinterpret_cast<FourHalves*>((unsigned short*)master + i) = rest;
    return;
  }
#endif
  *reinterpret_cast<Four*>((float*)master + i) = whole;
}

extern "C" __global__ void adamw(void* __restrict__ master, int remainders, const float* __restrict__ gradients,
                                 float* __restrict__ first, float* __restrict__ second,
                                 element* __restrict__ values, long long count,
                                 const double* __restrict__ squared_norm, float inverse_scale, float clip,
                                 float rate, float beta1, float beta2, float epsilon, float decay,
                                 float correction1, float correction2_root) {
  float norm = (float)(sqrt(*squared_norm) * inverse_scale);
  if (!isfinite(norm)) return;
  float factor = inverse_scale;
  if (clip > 0) factor *= fminf(1.0f, clip / (norm + 1e-6f));
  long long stride = (long long)gridDim.x * blockDim.x * 4;
  for (long long i = ((long long)blockIdx.x * blockDim.x + threadIdx.x) * 4; i < count; i += stride) {
    Four g = *reinterpret_cast<const Four*>(gradients + i);
    Four p = read_weights(master, remainders, values, i);
    Four m = *reinterpret_cast<Four*>(first + i), v = *reinterpret_cast<Four*>(second + i);
#pragma unroll
    for (int k = 0; k < 4; k++) {
      float gradient = g.at[k] * factor;
      p.at[k] -= rate * decay * p.at[k];
      m.at[k] += (1.0f - beta1) * (gradient - m.at[k]);
      v.at[k] = beta2 * v.at[k] + (1.0f - beta2) * gradient * gradient;
      p.at[k] -= rate / correction1 * m.at[k] / (sqrtf(v.at[k]) / correction2_root + epsilon);
    }
    write_weights(master, remainders, values, i, p);
    *reinterpret_cast<Four*>(first + i) = m;
    *reinterpret_cast<Four*>(second + i) = v;
  }
}

// The same with states in fewer bits: what MomentCode, ChanceBits and ElementRuns say in Java. The buffers may be a
// part of what the runs are of, from {start} on.

typedef unsigned long long bits64;
#define BLOCK 128
#define TURNS 4
#define CHANCE 20
#define NEAREST (1u << (CHANCE - 1))
#define ONE (0x3f800000u >> CHANCE)

struct __align__(4) FourBytes {
  unsigned char at[4];
};

__device__ __forceinline__ bits64 mixed(bits64 z) {
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
  return z ^ (z >> 31);
}

__device__ __forceinline__ unsigned char encode_second(float relative, unsigned chance) {
  if (relative == 0) return 0;
  int code = (int)((__float_as_uint(relative) + chance) >> CHANCE) - (int)(ONE - 255);
  return (unsigned char)max(code, 1);
}

__device__ __forceinline__ float decode_second(unsigned char code) {
  return code == 0 ? 0.0f : __uint_as_float((code + (ONE - 255)) << CHANCE);
}

__device__ __forceinline__ unsigned char encode_first(float relative, unsigned chance) {
  const float smallest = __uint_as_float((ONE - 126) << CHANCE);
  float size = fabsf(relative);
  unsigned code;
  if (size < smallest)
    code = size * (1 << CHANCE) > smallest * (float)((1 << CHANCE) - (int)chance) ? 1 : 0;
  else
    code = ((__float_as_uint(size) + chance) >> CHANCE) - (ONE - 127);
  return (unsigned char)(relative < 0 ? code | 0x80 : code);
}

__device__ __forceinline__ float decode_first(unsigned char code) {
  unsigned size = code & 0x7f;
  if (size == 0) return 0;
  float relative = __uint_as_float((size + (ONE - 127)) << CHANCE);
  return code & 0x80 ? -relative : relative;
}

// Four neighbouring numbers of 4 bytes, 2 (bf16) or 1, as they lie in memory. Nothing here waits for them, so
// that a thread has all its loads on their way at once.
struct Raw {
  uint4 words;
};

__device__ __forceinline__ Raw load_four(const void* from, int bytes, long long at) {
  Raw raw;
  if (bytes == 4) {
    raw.words = *reinterpret_cast<const uint4*>((const float*)from + at);
  } else if (bytes == 2) {
    uint2 halves = *reinterpret_cast<const uint2*>((const unsigned short*)from + at);
    raw.words.x = halves.x;
    raw.words.y = halves.y;
  } else {
    raw.words.x = *reinterpret_cast<const unsigned*>((const unsigned char*)from + at);
  }
  return raw;
}

// What they are; those of 1 byte are relative to the scale of their block.
__device__ __forceinline__ Four decode_four(const Raw& raw, float scale, int bytes, bool second) {
  Four four;
  if (bytes == 4) {
    four.at[0] = __uint_as_float(raw.words.x);
    four.at[1] = __uint_as_float(raw.words.y);
    four.at[2] = __uint_as_float(raw.words.z);
    four.at[3] = __uint_as_float(raw.words.w);
  } else if (bytes == 2) {
    four.at[0] = __uint_as_float(raw.words.x << 16);
    four.at[1] = __uint_as_float(raw.words.x & 0xffff0000u);
    four.at[2] = __uint_as_float(raw.words.y << 16);
    four.at[3] = __uint_as_float(raw.words.y & 0xffff0000u);
  } else {
#pragma unroll
    for (int k = 0; k < 4; k++) {
      unsigned char code = (unsigned char)(raw.words.x >> (8 * k));
      four.at[k] = (second ? decode_second(code) : decode_first(code)) * scale;
    }
  }
  return four;
}

// To weights in bf16, as decoded, what their bits leave of the masters'.
__device__ __forceinline__ void add_remainders(Four& weights, const Raw& raw) {
#pragma unroll
  for (int k = 0; k < 4; k++) {
    unsigned word = k < 2 ? raw.words.x : raw.words.y;
    int remainder = (short)(k & 1 ? word >> 16 : word);
    weights.at[k] = __uint_as_float(__float_as_uint(weights.at[k]) + remainder);
  }
}

// By the 32 lanes of a warp, which have a block of 128 numbers between them.
__device__ __forceinline__ void write_four(void* to, float* scales, int bytes, long long at, bool second,
                                           const Four& four, const unsigned* chance) {
  if (bytes == 4) {
    *reinterpret_cast<Four*>((float*)to + at) = four;
  } else if (bytes == 2) {
    FourHalves halves;
#pragma unroll
    for (int k = 0; k < 4; k++)
      halves.at[k] = (unsigned short)((__float_as_uint(four.at[k]) + (chance[k] >> (CHANCE - 16))) >> 16);
    *reinterpret_cast<FourHalves*>((unsigned short*)to + at) = halves;
  } else {
    float largest = 0;
#pragma unroll
    for (int k = 0; k < 4; k++) largest = fmaxf(largest, fabsf(four.at[k]));
    largest = warp_max(largest);
    FourBytes codes;
#pragma unroll
    for (int k = 0; k < 4; k++) {
      float relative = largest == 0 ? 0.0f : __fdiv_rn(four.at[k], largest);
      codes.at[k] = second ? encode_second(relative, chance[k]) : encode_first(relative, chance[k]);
    }
    *reinterpret_cast<FourBytes*>((unsigned char*)to + at) = codes;
    if ((threadIdx.x & 31) == 0) scales[at / BLOCK] = largest;
  }
}

// The last of the runs in the table that starts at a position or before it.
__device__ __forceinline__ int run_at(const long long* runs, int run_count, long long position) {
  int low = 0, high = run_count - 1;
  while (low < high) {
    int middle = (low + high + 1) >> 1;
    if (runs[middle * 6] <= position) low = middle; else high = middle - 1;
  }
  return low;
}

// Random bits for four neighbouring positions, the first of which lies in run {low} or behind it, in the runs of
// the table: start, name, skipped, first, held, row. One division serves all four.
__device__ __forceinline__ void chance_of_four(const long long* runs, int run_count, bits64 update, int low,
                                               long long i, bits64* chance) {
  const long long* run = nullptr;
  bits64 key = 0;
  long long row = 0, column = 0;
#pragma unroll
  for (int k = 0; k < 4; k++) {
    bool next = k == 0;
    while (low + 1 < run_count && runs[(low + 1) * 6] <= i + k) {
      low++;
      next = true;
    }
    if (next) {
      run = runs + low * 6;
      key = mixed((bits64)run[1] + update);
      column = i + k - run[0] + run[2];
      if (run[4] != 0) {
        row = column / run[4];
        column -= row * run[4];
      }
    } else if (++column == run[4]) {
      row++;
      column = 0;
    }
    long long element = run[3] + column + (run[4] == 0 ? 0 : row * run[5]);
    chance[k] = mixed(key + (bits64)element * 0x9E3779B97F4A7C15ull);
  }
}

extern "C" __global__ void adamw_narrow(element* __restrict__ values, void* __restrict__ master, int remainders,
                                        const void* __restrict__ gradients, int gradient_bytes,
                                        void* __restrict__ first, float* __restrict__ first_scales,
                                        void* __restrict__ second, float* __restrict__ second_scales,
                                        int moment_bytes, long long count, const long long* __restrict__ runs,
                                        int run_count, long long start, bits64 update,
                                        const double* __restrict__ squared_norm,
                                        float inverse_scale, float clip, float rate, float beta1, float beta2,
                                        float epsilon, float decay, float correction1, float correction2_root) {
  float norm = (float)(sqrt(*squared_norm) * inverse_scale);
  if (!isfinite(norm)) return;
  float factor = inverse_scale;
  if (clip > 0) factor *= fminf(1.0f, clip / (norm + 1e-6f));
  // Neighbouring warps have neighbouring blocks, and a place in the table serves some turns.
  int lane = threadIdx.x & 31, low = 0, turn = 0;
  bool by_chance = !master || moment_bytes < 4;
  long long blocks = count / BLOCK, together = blockDim.x / 32 * TURNS;
  long long block = blockIdx.x * together + threadIdx.x / 32;
  for (; block < blocks; block += ++turn % TURNS == 0 ? gridDim.x * together - (TURNS - 1) * (blockDim.x / 32)
                                                      : blockDim.x / 32) {
    long long i = block * BLOCK + lane * 4;
    if (by_chance && turn % TURNS == 0) low = run_at(runs, run_count, start + block * BLOCK);
    Raw raw_gradient = load_four(gradients, gradient_bytes, i);
    Raw raw_first = load_four(first, moment_bytes, i), raw_second = load_four(second, moment_bytes, i);
    bool whole = master && !remainders;
    Raw raw_weight = whole ? load_four(master, 4, i) : load_four(values, sizeof(element), i), raw_remainder;
    if (remainders) raw_remainder = load_four(master, 2, i);
    float first_scale = moment_bytes == 1 ? first_scales[block] : 0.0f;
    float second_scale = moment_bytes == 1 ? second_scales[block] : 0.0f;
    bits64 chance[4] = {0, 0, 0, 0};
    if (by_chance) chance_of_four(runs, run_count, update, low, start + i, chance);
    Four g = decode_four(raw_gradient, 0.0f, gradient_bytes, false);
    Four m = decode_four(raw_first, first_scale, moment_bytes, false);
    Four v = decode_four(raw_second, second_scale, moment_bytes, true);
    Four p = decode_four(raw_weight, 0.0f, whole ? 4 : sizeof(element), false);
    if (remainders) add_remainders(p, raw_remainder);
    unsigned of_weight[4], of_first[4], of_second[4];
#pragma unroll
    for (int k = 0; k < 4; k++) {
      of_weight[k] = (unsigned)chance[k] & 0xffff;
      of_first[k] = (unsigned)(chance[k] >> 16) & ((1u << CHANCE) - 1);
      of_second[k] = (unsigned)(chance[k] >> 36) & ((1u << CHANCE) - 1);
      float gradient = g.at[k] * factor;
      p.at[k] -= rate * decay * p.at[k];
      m.at[k] += (1.0f - beta1) * (gradient - m.at[k]);
      v.at[k] = beta2 * v.at[k] + (1.0f - beta2) * gradient * gradient;
      p.at[k] -= rate / correction1 * m.at[k] / (sqrtf(v.at[k]) / correction2_root + epsilon);
    }
    write_four(first, first_scales, moment_bytes, i, false, m, of_first);
    write_four(second, second_scales, moment_bytes, i, true, v, of_second);
    if (master) {
      write_weights(master, remainders, values, i, p);
    } else {
#if ELEMENT == 1
      FourHalves out;
#pragma unroll
      for (int k = 0; k < 4; k++) out.at[k] = (element)((__float_as_uint(p.at[k]) + of_weight[k]) >> 16);
      *reinterpret_cast<FourHalves*>(values + i) = out;
#elif ELEMENT == 0
      *reinterpret_cast<Four*>(values + i) = p;
#endif
    }
  }
}

#if ELEMENT == 1
extern "C" __global__ void read_master(const element* __restrict__ nearest,
                                       const unsigned short* __restrict__ remainders, float* __restrict__ whole,
                                       long long count) {
  for (long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x; i < count; i += (long long)gridDim.x * blockDim.x)
    whole[i] = join(nearest[i], remainders[i]);
}

extern "C" __global__ void write_master(element* __restrict__ nearest, unsigned short* __restrict__ remainders,
                                        const float* __restrict__ whole, long long count) {
  for (long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x; i < count;
       i += (long long)gridDim.x * blockDim.x) {
    nearest[i] = narrow(whole[i]);
    remainders[i] = remainder_of(whole[i], nearest[i]);
  }
}
#endif

// Moments as fp32, and back to the nearest; one warp for each block of 128 numbers.
extern "C" __global__ void read_moment(const void* __restrict__ from, const float* __restrict__ scales, int bytes,
                                       int second, float* __restrict__ to) {
  long long i = ((long long)blockIdx.x * blockDim.x + threadIdx.x) / 32 * BLOCK + (threadIdx.x & 31) * 4;
  float scale = bytes == 1 ? scales[i / BLOCK] : 0.0f;
  *reinterpret_cast<Four*>(to + i) = decode_four(load_four(from, bytes, i), scale, bytes, second != 0);
}

extern "C" __global__ void write_moment(void* __restrict__ to, float* __restrict__ scales, int bytes, int second,
                                        const float* __restrict__ from) {
  long long i = ((long long)blockIdx.x * blockDim.x + threadIdx.x) / 32 * BLOCK + (threadIdx.x & 31) * 4;
  const unsigned nearest[4] = {NEAREST, NEAREST, NEAREST, NEAREST};
  write_four(to, scales, bytes, i, second, *reinterpret_cast<const Four*>(from + i), nearest);
}
