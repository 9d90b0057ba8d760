package dev.duoka.train.generate;

import dev.duoka.base.Progress;
import dev.duoka.comm.SingleRank;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.parallel.mesh.Mesh;
import dev.duoka.parallel.step.InferenceRank;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.train.checkpoint.StoredModel;
import dev.duoka.train.memory.GenerationMemory;
import java.util.List;

/** Where a model is to write: on one device, or on those of a mesh. */
sealed interface WritingPlace {
  /**
   * Refuses a model that cannot be laid out there.
   *
   * @throws dev.duoka.base.DuokaException with what is in the way
   */
  void require(ModelConfig model);

  /** What a model takes there. */
  GenerationMemory memory(ModelConfig model);

  /**
   * Allocates a model and reads it.
   *
   * @param progress hears how many weights were read, of a mesh those of the first rank
   */
  WritingRanks load(NamedModel model, Progress progress);

  /**
   * One device, whose rank works on the calling thread.
   *
   * @param dtype of weights and activations
   */
  record OneDevice(Device device, Dtype dtype) implements WritingPlace {
    @Override
    public void require(ModelConfig model) {}

    @Override
    public GenerationMemory memory(ModelConfig model) {
      return new GenerationMemory(model, dtype, device);
    }

    @Override
    public WritingRanks load(NamedModel model, Progress progress) {
      InferenceRank rank =
          InferenceRank.allocate(
              new Mesh(1, 1, 1, 1, 1, 1),
              List.of(),
              new SingleRank(),
              device,
              model.config(),
              dtype);
      boolean loaded = false;
      try (StoredModel stored = model.open()) {
        stored.read(rank.model(), progress);
        loaded = true;
        return new OneRank(rank);
      } finally {
        if (!loaded) {
          rank.close();
        }
      }
    }
  }

  /** The devices of a mesh, whose ranks have threads of their own. */
  record OnMesh(WritingMesh mesh) implements WritingPlace {
    @Override
    public void require(ModelConfig model) {
      mesh.require(model);
    }

    @Override
    public GenerationMemory memory(ModelConfig model) {
      return mesh.memory(model);
    }

    @Override
    public WritingRanks load(NamedModel model, Progress progress) {
      return MeshRanks.load(mesh, model, progress);
    }
  }
}
