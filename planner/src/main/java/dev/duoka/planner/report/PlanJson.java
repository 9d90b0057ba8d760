package dev.duoka.planner.report;

import dev.duoka.formats.json.Json;
import dev.duoka.hardware.Machine;
import dev.duoka.layout.Layout;
import dev.duoka.planner.figure.Figure;
import dev.duoka.planner.memory.MemoryEstimate;
import dev.duoka.planner.search.Change;
import dev.duoka.planner.search.Cost;
import dev.duoka.planner.search.Misfit;
import dev.duoka.planner.search.Plan;
import dev.duoka.planner.search.PlanRequest;
import dev.duoka.planner.search.PlanResult;
import dev.duoka.planner.time.Cause;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** The result of a search as one JSON object; docs/planning.md names its fields. */
public final class PlanJson {
  private PlanJson() {}

  /** The whole result. */
  public static ObjectNode of(PlanResult result) {
    PlanRequest request = result.request();
    ObjectNode json = Json.object();
    json.put("model", request.model());
    json.put("parameters", request.shape().parameters());
    json.put("active_parameters", request.shape().activeParameters());
    json.set("machine", machine(request.machine()));
    ObjectNode job = json.putObject("job");
    job.put("sequence_length", request.job().sequenceLength());
    job.put("tokens_per_step", request.job().tokensPerStep());
    job.put("method", request.method().toString());
    job.put("expert_imbalance", request.job().imbalance());
    request
        .adapter()
        .ifPresent(
            adapter -> {
              ObjectNode fields = AdapterFields.json(adapter);
              fields.put("trained_parameters", request.shape().adapted().count());
              json.set("adapter", fields);
            });
    json.put("searched", result.searched());
    json.put("feasible", result.feasible());
    json.put("search_milliseconds", Numbers.rounded(result.milliseconds()));
    texts(json, "profile_lacks", result.profileLacks());
    ArrayNode plans = json.putArray("plans");
    result.plans().forEach(plan -> plans.add(plan(plan)));
    ArrayNode pareto = json.putArray("pareto");
    result.pareto().forEach(plan -> pareto.add(summary(plan)));
    json.put("pareto_cut", result.paretoCut());
    ArrayNode infeasible = json.putArray("infeasible");
    result.misfits().forEach(misfit -> infeasible.add(misfit(misfit)));
    ArrayNode changes = json.putArray("changes");
    result
        .changes()
        .forEach(
            change -> changes.addObject().put("change", change.change()).setAll(achieved(change)));
    ArrayNode rules = json.putArray("rules");
    result
        .rules()
        .forEach(
            rule ->
                rules
                    .addObject()
                    .put("rule", rule.rule())
                    .put("agrees", rule.agrees())
                    .put("reason", rule.reason()));
    return json;
  }

  private static ObjectNode achieved(Change change) {
    ObjectNode json = Json.object();
    json.put("layout", change.plan().map(plan -> plan.layout().toString()).orElse(""));
    put(
        json,
        "tokens_per_second",
        change.plan().stream().mapToDouble(Plan::tokensPerSecond).findFirst());
    json.put("estimated", !change.plan().map(Plan::runnable).orElse(false));
    texts(json, "missing", change.plan().map(Plan::missing).orElse(List.of()));
    return json;
  }

  static ObjectNode machine(Machine machine) {
    ObjectNode json = Json.object();
    json.put("name", machine.name());
    json.put("card", machine.card().name());
    json.put("gpus", machine.gpus());
    json.put("memory_gib", machine.card().memoryGib());
    json.put("link", machine.link().toString());
    json.put("domain", machine.domain());
    json.put("host_memory_gib", Numbers.rounded(machine.host().memoryGib()));
    machine.profile().ifPresent(it -> json.put("profile", it.title()));
    return json;
  }

  static ObjectNode plan(Plan plan) {
    ObjectNode json = Json.object();
    json.set("layout", layout(plan.layout()));
    json.put("description", plan.layout().toString());
    json.put("estimated", !plan.runnable());
    figures(json, "memory", plan.memory().bytes(), Numbers.GIB);
    json.put("memory_total", gib(plan.memory().total()));
    json.put("memory_unit", "GiB");
    json.put("memory_source", plan.memory().source().toString());
    json.put("memory_stage", plan.memory().stage());
    json.put("host_memory", gib(plan.memory().hostBytes()));
    figures(json, "time", plan.time().seconds(), 1);
    json.put("time_total", Numbers.rounded(plan.time().total()));
    json.put("time_low", Numbers.rounded(plan.time().low()));
    json.put("time_high", Numbers.rounded(plan.time().high()));
    json.put("time_unit", "s");
    json.put("time_priced", plan.time().priced());
    texts(json, "time_unmeasured", plan.time().unmeasured().stream().map(Cause::toString).toList());
    json.put("tokens_per_second", Numbers.rounded(plan.tokensPerSecond()));
    ObjectNode mfu = json.putObject("mfu");
    mfu.put("causal", Numbers.rounded(plan.mfuCausal()));
    mfu.put("full", Numbers.rounded(plan.mfuFull()));
    mfu.put("peak", plan.mfuPeak().toString());
    json.set("cost", cost(plan.cost()));
    json.put("runnable", plan.runnable());
    texts(json, "missing", plan.missing());
    texts(json, "why", plan.why());
    return json;
  }

  static ObjectNode layout(Layout layout) {
    ObjectNode json = Json.object();
    json.put("gpus", layout.gpus());
    json.put("data", layout.data());
    json.put("tensor", layout.tensor());
    json.put("pipeline", layout.pipeline());
    json.put("expert", layout.expert());
    json.put("context", layout.context());
    json.put("replicate", layout.replicate());
    json.put("schedule", layout.order().kind().toString());
    json.put("stages_per_rank", layout.order().stagesPerRank());
    json.put("blocks_per_bucket", layout.blocksPerBucket());
    json.put("zero", layout.zero());
    json.put("micro_batch", layout.microBatch());
    json.put("accumulation", layout.accumulation());
    json.put("recompute", layout.recompute().toString());
    json.put("offload", layout.offload().toString());
    json.put("offload_update", layout.offloadUpdate().toString());
    json.put("offload_fraction", layout.offloadFraction());
    json.put("loss", layout.loss().toString());
    json.put("precision", layout.precision().toString());
    json.put("method", layout.method().toString());
    json.put("moments", layout.states().moments().toString());
    json.put("master_weights", layout.states().keepsMasterOf(layout.precision()));
    json.put("gradients", layout.states().gradients().toString());
    return json;
  }

  static ObjectNode summary(Plan plan) {
    ObjectNode json = Json.object();
    json.set("layout", layout(plan.layout()));
    json.put("estimated", !plan.runnable());
    texts(json, "missing", plan.missing());
    json.put("time_total", Numbers.rounded(plan.time().total()));
    json.put("memory_total", gib(plan.memory().total()));
    json.put("tokens_per_second", Numbers.rounded(plan.tokensPerSecond()));
    json.set("cost", cost(plan.cost()));
    return json;
  }

  private static ObjectNode misfit(Misfit misfit) {
    ObjectNode json = Json.object();
    MemoryEstimate memory = misfit.memory();
    json.set("layout", layout(misfit.layout()));
    json.put("description", misfit.layout().toString());
    json.put("estimated", misfit.estimated());
    texts(json, "missing", misfit.missing());
    figures(json, "memory", memory.bytes(), Numbers.GIB);
    json.put("memory_total", gib(memory.total()));
    json.put("memory_source", memory.source().toString());
    json.put("host_memory", gib(memory.hostBytes()));
    json.put("lacks_gib_per_gpu", Numbers.rounded(misfit.deviceGib()));
    json.put("lacks_host_gib", Numbers.rounded(misfit.hostGib()));
    return json;
  }

  private static ObjectNode cost(Cost cost) {
    ObjectNode json = Json.object();
    put(json, "usd_per_hour", cost.usdPerHour());
    put(json, "usd_per_billion_tokens", cost.usdPerBillionTokens());
    put(json, "usd_to_buy", cost.usdToBuy());
    json.put("kilowatts", Numbers.rounded(cost.kilowatts()));
    return json;
  }

  static void put(ObjectNode json, String name, OptionalDouble value) {
    if (value.isPresent()) {
      json.put(name, Numbers.rounded(value.getAsDouble()));
    } else {
      json.putNull(name);
    }
  }

  /** The numbers under a name, and what they rest on under {@code <name>_basis}. */
  private static void figures(
      ObjectNode json, String name, Map<? extends Enum<?>, Figure> figures, double unit) {
    ObjectNode values = json.putObject(name);
    ObjectNode bases = json.putObject(name + "_basis");
    figures.forEach(
        (key, figure) -> {
          values.put(key.toString(), figure.value() / unit);
          bases.put(key.toString(), figure.basis().toString());
        });
  }

  private static double gib(double bytes) {
    return bytes / Numbers.GIB;
  }

  private static void texts(ObjectNode json, String name, List<String> texts) {
    ArrayNode array = json.putArray(name);
    texts.forEach(array::add);
  }
}
