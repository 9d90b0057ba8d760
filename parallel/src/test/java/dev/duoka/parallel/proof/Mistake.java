package dev.duoka.parallel.proof;

import dev.duoka.comm.Communicator;
import dev.duoka.comm.Pending;
import dev.duoka.data.batch.StepBatch;
import dev.duoka.parallel.mesh.Mesh;
import dev.duoka.parallel.step.StepSettings;
import dev.duoka.parallel.step.TrainingRank;
import dev.duoka.tensor.Tensor;

/**
 * What a program could do wrongly, planted around one rank of a right one: in what it is given, in
 * what it does with its gradients before they are summed, or in an exchange. What is not overridden
 * is right. Each rank has one of its own.
 */
abstract class Mistake {
  /** What the rank's step is made from. */
  StepSettings settings(StepSettings right, int rank) {
    return right;
  }

  /** What the rank reads in a step. */
  StepBatch batch(StepBatch right, Mesh mesh, int rank) {
    return right;
  }

  /** Sees the rank when its first weights are written. */
  void begin(TrainingRank rank) {}

  /** Whether {@link #afterSums} is to be called: then the update waits for all sums first. */
  boolean isAfterSums() {
    return false;
  }

  /** Changes the sums that the rank has. */
  void afterSums(TrainingRank rank) {}

  Pending allReduce(Communicator group, Tensor tensor) {
    return group.allReduce(tensor);
  }

  Pending reduceScatter(Communicator group, Tensor full, Tensor shard) {
    return group.reduceScatter(full, shard);
  }

  Pending allGather(Communicator group, Tensor shard, Tensor full) {
    return group.allGather(shard, full);
  }

  Pending allToAll(
      Communicator group, Tensor send, long[] sendRows, Tensor receive, long[] receiveRows) {
    return group.allToAll(send, sendRows, receive, receiveRows);
  }

  Pending send(Communicator group, Tensor tensor, int to) {
    return group.send(tensor, to);
  }

  Pending receive(Communicator group, Tensor tensor, int from) {
    return group.receive(tensor, from);
  }
}
