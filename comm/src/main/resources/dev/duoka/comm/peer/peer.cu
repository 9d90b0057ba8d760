// Exchange between GPUs that reach each other's memory. Each rank of a group has a board in its own
// memory on which the others write what they show it; nobody spins: what waits for a number on a
// board is the stream (cuStreamWaitValue32), which the host can release.

typedef unsigned int u32;
typedef unsigned long long u64;

// What one rank shows another: a stretch of its memory.
struct Shown {
  u64 address;
  u64 bytes;
  u32 ready;  // the number of the exchange for which the stretch is there
  u32 done;   // the number of the last exchange in which that rank has read what this one showed
  u64 unused;
};

// One for each group and rank: what each rank of the group shows in collectives, then in messages.
struct Board {
  u32 ended;  // the host has given up: what is shown may be gone
  u32 unused[3];
  Shown shown[1];
};

__device__ __forceinline__ void publish(u32* number, u32 value) {
  __threadfence_system();
  *(volatile u32*)number = value;
}

// Shows all ranks, or one of them, the same stretch.
extern "C" __global__ void show(
    const u64* boards, int first, int place, u64 address, u64 bytes, u32 number) {
  Shown* shown = ((Board*)boards[first + threadIdx.x])->shown + place;
  shown->address = address;
  shown->bytes = bytes;
  publish(&shown->ready, number);
}

// Tells ranks that what they showed has been read.
extern "C" __global__ void release(const u64* boards, int first, int place, u32 number) {
  publish(&((Board*)boards[first + threadIdx.x])->shown[place].done, number);
}

template <typename Word>
__device__ __forceinline__ void copy_words(char* to, const char* from, u64 bytes, u64 at, u64 step) {
  const Word* source = (const Word*)from;
  Word* target = (Word*)to;
  u64 count = bytes / sizeof(Word);
  u64 i = at;
  for (; i + 3 * step < count; i += 4 * step) {  // several reads on their way hide the link's latency
    Word a = source[i], b = source[i + step], c = source[i + 2 * step], d = source[i + 3 * step];
    target[i] = a;
    target[i + step] = b;
    target[i + 2 * step] = c;
    target[i + 3 * step] = d;
  }
  for (; i < count; i += step) target[i] = source[i];
}

// Collects what ranks first, first + 1, … show, one behind the other. A row of blocks for each; it
// starts with another rank on each rank, so that not all read from the same card at once.
extern "C" __global__ void pull(
    Board* board, int first, int ranks, int rotation, char* target, u64 room) {
  if (board->ended) return;
  int rank = (blockIdx.y + rotation) % ranks;
  const Shown* shown = board->shown + first;
  u64 start = 0;
  for (int other = 0; other < rank; other++) start += ((volatile const Shown*)shown)[other].bytes;
  u64 bytes = ((volatile const Shown*)shown)[rank].bytes;
  const char* source = (const char*)((volatile const Shown*)shown)[rank].address;
  if (start + bytes > room) bytes = start < room ? room - start : 0;
  char* to = target + start;
  if (to == source) return;
  u64 at = (u64)blockIdx.x * blockDim.x + threadIdx.x, step = (u64)gridDim.x * blockDim.x;
  u64 all = (u64)to | (u64)source | bytes;
  if (all % 16 == 0) copy_words<uint4>(to, source, bytes, at, step);
  else if (all % 8 == 0) copy_words<u64>(to, source, bytes, at, step);
  else if (all % 4 == 0) copy_words<u32>(to, source, bytes, at, step);
  else copy_words<char>(to, source, bytes, at, step);
}

#if KIND == 0
typedef float element;
typedef float wide;
#elif KIND == 1 || KIND == 2
typedef unsigned short element;
typedef float wide;
#elif KIND == 3
typedef double element;
typedef double wide;
#elif KIND == 4
typedef long long element;
typedef long long wide;
#else
typedef int element;
typedef int wide;
#endif

__device__ __forceinline__ wide widen(element x) {
#if KIND == 1
  return __uint_as_float((unsigned)x << 16);
#elif KIND == 2
  float result;
  asm("cvt.f32.f16 %0, %1;" : "=f"(result) : "h"(x));
  return result;
#else
  return x;
#endif
}

__device__ __forceinline__ element narrow(wide x) {
#if KIND == 1
  element bits;
  asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(bits) : "f"(x));
  return bits;
#elif KIND == 2
  element bits;
  asm("cvt.rn.f16.f32 %0, %1;" : "=h"(bits) : "f"(x));
  return bits;
#else
  return x;
#endif
}

#define PACK (16 / (int)sizeof(element))
struct __align__(16) Pack {
  element at[PACK];
};

// The sum of a stretch of what all ranks show, in the order of the ranks and rounded after each
// addition: the bits of the same sum by copies.
extern "C" __global__ void sum(Board* board, u64 start, u64 count, element* target) {
  if (board->ended) return;
  const element* sources[RANKS];
  bool aligned = (u64)target % 16 == 0;
#pragma unroll
  for (int rank = 0; rank < RANKS; rank++) {
    sources[rank] = (const element*)((volatile Shown*)board->shown)[rank].address + start;
    aligned = aligned && (u64)sources[rank] % 16 == 0;
  }
  u64 at = (u64)blockIdx.x * blockDim.x + threadIdx.x, step = (u64)gridDim.x * blockDim.x;
  u64 done = 0;
  if (aligned) {
    u64 packs = count / PACK;
    for (u64 i = at; i < packs; i += step) {
      Pack read[RANKS];
#pragma unroll
      for (int rank = 0; rank < RANKS; rank++) read[rank] = ((const Pack*)sources[rank])[i];
      Pack result;
#pragma unroll
      for (int j = 0; j < PACK; j++) {
        wide total = widen(read[0].at[j]);
#pragma unroll
        for (int rank = 1; rank < RANKS; rank++) total = widen(narrow(total + widen(read[rank].at[j])));
        result.at[j] = narrow(total);
      }
      ((Pack*)target)[i] = result;
    }
    done = packs * PACK;
  }
  for (u64 i = done + at; i < count; i += step) {
    wide total = widen(sources[0][i]);
    for (int rank = 1; rank < RANKS; rank++) total = widen(narrow(total + widen(sources[rank][i])));
    target[i] = narrow(total);
  }
}
