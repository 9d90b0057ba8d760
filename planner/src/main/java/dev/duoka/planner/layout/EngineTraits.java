package dev.duoka.planner.layout;

import dev.duoka.layout.Segments;
import dev.duoka.planner.figure.Figure;

/**
 * What the program that runs a step adds to the arithmetic.
 *
 * @param name the program
 * @param weightGradientScratch whether it keeps one 16-bit buffer per shape of weight
 * @param libraryOfCollectives whether a library exchanges tensors, with buffers of its own
 * @param contextBytes device memory of the CUDA context and loaded kernels
 * @param workspaceBytes device memory that libraries of operators take to work in
 * @param reserveShare what its allocator holds beyond what is in use, as a share of that, where its
 *     segments are fixed
 * @param growsSegments whether they grow where {@link Segments} says so
 * @param elementwiseFactor bytes moved by element-wise work against fully fused kernels
 * @param temporaryRows fp32 rows as wide as the widest SwiGLU that its backward pass holds at once
 * @param attentionCopies how often attention's result is kept: once as the kernel gives it, again
 *     where its heads are joined in a copy
 * @param keepsGathered whether what tensor ranks gather for a product is kept whole, and gathered
 *     again only where something is computed again
 * @param headScratchBytes bytes per weight of the head that the loss holds for the head's gradient
 * @param gradientOverlap the share of a micro-batch's computation that can hide the reduction of
 *     gradients
 * @param ringOverlap the share of what goes round under context parallelism, keys and values
 *     forward and both again backward with their gradients, that goes while attention computes
 * @param hiddenCost what an exchange takes of the computation that hides it, as a share of its own
 *     time
 * @param copiesForExperts whether a token on its way to experts on other ranks goes there once for
 *     each of them, not as {@link dev.duoka.layout.Dispatcher} says
 * @param gathersExpertsAlone whether ZeRO 3 gathers experts one by one and only when the router has
 *     spoken, not with the other weights of their layers
 * @param copiesMasters whether masters of weights in bf16 are copies in fp32, not what those leave
 * @param launchSeconds host time to launch one kernel
 */
public record EngineTraits(
    String name,
    boolean weightGradientScratch,
    boolean libraryOfCollectives,
    Figure contextBytes,
    Figure workspaceBytes,
    double reserveShare,
    boolean growsSegments,
    double elementwiseFactor,
    double temporaryRows,
    int attentionCopies,
    boolean keepsGathered,
    double headScratchBytes,
    double gradientOverlap,
    double ringOverlap,
    double hiddenCost,
    boolean copiesForExperts,
    boolean gathersExpertsAlone,
    boolean copiesMasters,
    double launchSeconds) {
  private static final double GIB = 1L << 30;

  /**
   * What an allocator holds whose segments grow, whatever is in use: 0 to 0.5 GiB beside 2 to 28 on
   * an H200 (bench/results/2026-11-30-memory-and-adapters.md).
   */
  private static final double GROWING_RESERVE = 0.25 * GIB;

  /**
   * This program: kernels copy tensors from card to card; a block's gradients are reduced while the
   * backward pass, two thirds of a micro-batch, goes on. Those kernels are of up to 64 blocks on
   * 132 multiprocessors: what they are hidden by takes 0.37 of their time longer (a product beside
   * an all-reduce on four H100) to 0.43 (ZeRO 3 beside ZeRO 2 of 7B on four H200,
   * bench/results/2026-11-29-rows-four-h200.md). Of the ring the gradients' way back is not hidden,
   * a third of it. Context: 0.47 to 0.92 GiB (stas00/ml-engineering 744d01e). Reserve: LibTorch
   * held 1.04 to 1.06 times what was allocated in the peers' runs on an H100. Launches: 8 to 10 µs
   * an operator, measured from Java on an H100's host. Temporaries, the copy of attention's result
   * and the head's scratch: as dry runs of the engine count them.
   */
  public static final EngineTraits DUOKA =
      new EngineTraits(
          "duoka",
          false,
          false,
          Figure.measured(0.7 * GIB),
          Figure.measured(0.1 * GIB),
          0.05,
          true,
          1.15,
          0,
          2,
          true,
          0,
          2 / 3.0,
          2 / 3.0,
          0.4,
          false,
          false,
          false,
          9e-6);

  /**
   * Bytes that the allocator holds beyond what is in use.
   *
   * @param segments as this program keeps them for the model
   * @param inUse bytes of tensors that come and go
   */
  public double reserve(Segments segments, double inUse) {
    return growsSegments && segments == Segments.GROWING ? GROWING_RESERVE : reserveShare * inUse;
  }
}
