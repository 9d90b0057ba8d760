package dev.duoka.train.config;

import dev.duoka.formats.modelconfig.MoeConfig;
import dev.duoka.layout.Dispatcher;
import dev.duoka.layout.Layout;
import dev.duoka.layout.PipelineKind;
import dev.duoka.layout.PipelineOrder;
import dev.duoka.parallel.function.SpreadExperts;
import dev.duoka.parallel.mesh.Mesh;
import dev.duoka.train.config.binding.Doc;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/** Section {@code parallel}: how the work is spread over ranks. */
public record ParallelSettings(
    @Doc(
            value =
                "Data-parallel ranks; each computes its share of every batch. `auto` takes as many"
                    + " as the machine's GPUs leave for it, 1 on a CPU; of several processes, as"
                    + " many as `launch.ranks_per_process` leaves.",
            unit = "ranks",
            byDefault = "1",
            range = "[1, 1024]")
        int data,
    @Doc(
            value =
                "Ranks that share each product: heads, feed-forward widths and the vocabulary are"
                    + " cut, and between them each rank has a part of the tokens. Neighbours, for"
                    + " the fastest links.",
            unit = "ranks",
            byDefault = "1",
            range = "[1, 64]")
        int tensor,
    @Doc(
            value = "Ranks that each have some of the layers, one behind the other.",
            unit = "ranks",
            byDefault = "1",
            range = "[1, 64]")
        int pipeline,
    @Doc(
            value =
                "Ranks over which one copy of the routed experts is spread, among those of data,"
                    + " context and tensor.",
            unit = "ranks",
            byDefault = "1",
            range = "[1, 1024]")
        int expert,
    @Doc(
            value =
                "Ranks that share each sequence, for long ones: each has some of its tokens, and"
                    + " keys and values go round.",
            unit = "ranks",
            byDefault = "1",
            range = "[1, 64]")
        int context,
    @Doc(
            value =
                "ZeRO stage: 0 keeps everything on every rank, 1 shares the optimizer's states"
                    + " among the ranks with the same weights, 2 their gradients too, 3 the weights"
                    + " too.",
            byDefault = "0",
            range = "[0, 3]")
        int zero,
    @Doc(
            value =
                "Groups of data-parallel ranks among which alone ZeRO shares states, gradients and"
                    + " weights; between groups the sums of gradients travel once a step. One for"
                    + " each machine keeps everything else within machines.",
            unit = "groups",
            byDefault = "1",
            range = "[1, 1024]")
        int replicate,
    @Doc(
            value =
                "Decoder layers whose weights lie in one bucket: one exchange sums their gradients,"
                    + " and under ZeRO gathers their weights. More are fewer exchanges, for small"
                    + " layers and slow links, of which the last is longer and hidden by nothing;"
                    + " under ZeRO 2 and 3 two buckets of what is shared are on each rank at once."
                    + " No bucket holds layers of two stages. It changes no sum but the last bits"
                    + " of the gradients' norm under ZeRO, and of all sums by `nccl`.",
            unit = "layers",
            byDefault = "1",
            range = "[1, 1024]")
        int blocksPerBucket,
    @Doc(
            value =
                "In which order the stages of a pipeline work: `gpipe`, `1f1b`, `interleaved` with"
                    + " several stages a rank, `zero_bubble` with weight gradients apart, or a .csv"
                    + " file in the form of torch.distributed.pipelining.",
            byDefault = "1f1b")
        ScheduleChoice schedule,
    @Doc(
            value = "Stages of each pipeline rank, for `interleaved`.",
            unit = "stages",
            whenAbsent = "2 for `interleaved`, 1 otherwise",
            range = "[1, 16]")
        OptionalInt stagesPerRank,
    @Doc(
            value = "Decoder layers of each stage, first to last.",
            unit = "layers",
            byDefault = "[]",
            range = "[1, 1000]")
        List<Integer> stages,
    @Doc(
            value =
                "What ranks on GPUs of their own exchange tensors by: `peer`, kernels of ours that"
                    + " read the other cards' memory and add in the order of the ranks, in one"
                    + " process whose cards reach each other; NVIDIA's library `nccl`, in any"
                    + " number of processes, which adds in its own order; or `copies` from card to"
                    + " card, which wait for each other's hosts. `auto` takes `peer` where it can,"
                    + " else `nccl`, and `copies` where ranks share a GPU and on a CPU.",
            byDefault = "auto")
        Collectives collectives,
    @Doc(
            value =
                "How tokens get to experts on other ranks: `all_gather`, all rows go to all ranks"
                    + " of an expert group and sums come back by reduce-scatter, or `all_to_all`,"
                    + " each row goes once to each rank that has an expert of its. `auto` is"
                    + " `all_gather` where at least half of the tokens have an expert on any one"
                    + " rank.",
            byDefault = "auto")
        Dispatcher dispatcher,
    @Doc(
            value =
                "Whether ranks of `data` need not divide the micro-batches of a step: the last ones"
                    + " then run some that are empty and count in nothing. 32 over three ranks are"
                    + " 11 + 11 + 11, one of them empty. For runs that go on with a card less.",
            byDefault = "false")
        boolean emptyMicroBatches) {
  public ParallelSettings {
    stages = List.copyOf(stages);
  }

  /** All ranks of the run. */
  public int ranks() {
    return data * tensor * pipeline * context;
  }

  /** As {@link Layout#exchangesBuckets()}. */
  public boolean exchangesBuckets() {
    return Layout.exchangesBuckets(data, context, tensor);
  }

  /** How tokens get to experts on other ranks in a model that has such. */
  public Dispatcher dispatcherOf(MoeConfig experts) {
    return dispatcher.resolved(SpreadExperts.routed(experts), expert);
  }

  /**
   * How the ranks are numbered; of replicas or experts over ranks that do not divide, the mesh
   * without.
   */
  public Mesh mesh() {
    int replicas = data % replicate == 0 ? replicate : 1;
    int shard = data / replicas;
    boolean divides = shard * context * tensor % expert == 0;
    return new Mesh(pipeline, replicas, shard, context, tensor, divides ? expert : 1);
  }

  /** Stages of each rank of a pipeline. */
  public int stagesOfRank() {
    boolean interleaved = schedule.kind().equals(Optional.of(PipelineKind.INTERLEAVED));
    return stagesPerRank.orElse(interleaved && pipeline > 1 ? 2 : 1);
  }

  /** In which order the stages work; the usual one for a table that a file has. */
  public PipelineOrder order() {
    return pipeline == 1 || schedule.kind().isEmpty()
        ? PipelineOrder.DEFAULT
        : new PipelineOrder(schedule.kind().get(), stagesOfRank());
  }

  /** Whether no rank has the whole model. */
  public boolean sharesModelOut() {
    return tensor > 1 || pipeline > 1 || expert > 1;
  }

  /**
   * The fewest ranks that hold the whole model cut in the same way: what a text is written with.
   */
  public ParallelSettings ofOneCopy() {
    int copies = 1;
    while (copies * tensor % expert != 0) {
      copies++;
    }
    return new ParallelSettings(
        copies,
        tensor,
        pipeline,
        expert,
        1,
        0,
        1,
        1,
        schedule,
        stagesPerRank,
        stagesOfRank() == 1 ? stages : List.of(),
        collectives,
        dispatcher,
        emptyMicroBatches);
  }

  /** What moves tensors between GPUs. */
  public enum Collectives {
    /** The fastest of those that the ranks' devices and processes allow. */
    AUTO,
    /** Plain copies between cards; the only way on a CPU and on a GPU that ranks share. */
    COPIES,
    /** Kernels that read other cards' memory, one GPU a rank and one process. */
    PEER,
    /** NCCL, one GPU a rank. */
    NCCL
  }
}
