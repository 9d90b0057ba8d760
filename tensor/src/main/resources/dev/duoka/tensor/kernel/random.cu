// Random numbers, each a function of a key and its number alone: those of RandomNumbers, to the last bit.
// No product is contracted with a sum, and nothing is called that rounds in its own way.

__device__ __forceinline__ unsigned long long mixed(unsigned long long bits) {
  bits = (bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9ULL;
  bits = (bits ^ (bits >> 27)) * 0x94D049BB133111EBULL;
  return bits ^ (bits >> 31);
}

__device__ __forceinline__ float mul(float a, float b) { return __fmul_rn(a, b); }
__device__ __forceinline__ float add(float a, float b) { return __fadd_rn(a, b); }

// From the highest power to the constant.
#define LOGARITHM 0.08722349f, -0.1436684f, 0.14952268f, -0.16562393f, 0.19956833f, \
  -0.25002074f, 0.33334187f, -0.49999988f, 1.0f
#define NEAR_CENTRE 4.0354635e-08f, 4.8610394e-07f, -4.9905652e-06f, -6.217993e-06f, 3.091502e-04f, \
  -0.0017730101f, -0.005908171f, 0.34880266f, 2.1233137f
#define IN_TAILS 2.830315e-05f, -1.6089248e-04f, 2.9204937e-04f, -2.6305587e-04f, 5.5549934e-04f, \
  -0.0017003439f, 0.0026931867f, 1.426768f, 5.1448255f

// c[8]·x⁸ + … + c[0]
__device__ __forceinline__ float polynomial(float x, float c8, float c7, float c6, float c5, float c4,
                                            float c3, float c2, float c1, float c0) {
  float y = add(mul(c8, x), c7);
  y = add(mul(y, x), c6);
  y = add(mul(y, x), c5);
  y = add(mul(y, x), c4);
  y = add(mul(y, x), c3);
  y = add(mul(y, x), c2);
  y = add(mul(y, x), c1);
  return add(mul(y, x), c0);
}

__device__ __forceinline__ float logarithm(float q) {
  int bits = __float_as_int(q);
  int exponent = (bits - 0x3F3504F3) >> 23;
  float f = add(__int_as_float(bits - (exponent << 23)), -1.0f);
  float series = polynomial(f, LOGARITHM);
  return add(mul((float)exponent, 0.6931472f), mul(f, series));
}

__device__ __forceinline__ float standard(unsigned long long bits) {
  float tail = mul(__ll2float_rn((long long)(((bits >> 22) & 0x1FFFFFFFFFFULL) | 1)), 0x1p-41f);
  float x = add(1.0f, -tail);
  float w = -logarithm(mul(tail, add(2.0f, -tail)));
  float factor = w < 5.0f ? polynomial(add(w, -2.5f), NEAR_CENTRE)
                          : polynomial(add(__fsqrt_rn(w), -3.8f), IN_TAILS);
  float z = mul(x, factor);
  return (long long)bits < 0 ? -z : z;
}

#define ELEMENT_OF_THREAD ((long long)blockIdx.x * blockDim.x + threadIdx.x)
#define STEP 0x9E3779B97F4A7C15ULL

extern "C" __global__ void normal(float* __restrict__ target, long long key, long long first, long long count,
                                  float deviation) {
  long long i = ELEMENT_OF_THREAD;
  if (i < count) {
    unsigned long long number = (unsigned long long)(first + i);
    target[i] = mul(standard(mixed((unsigned long long)key + number * STEP)), deviation);
  }
}

extern "C" __global__ void uniform(float* __restrict__ target, long long key, long long first, long long count,
                                   float bound) {
  long long i = ELEMENT_OF_THREAD;
  if (i < count) {
    unsigned long long number = (unsigned long long)(first + i);
    long long bits = (long long)mixed((unsigned long long)key + number * STEP);
    target[i] = mul(mul(__ll2float_rn((bits >> 24) | 1), 0x1p-39f), bound);
  }
}
