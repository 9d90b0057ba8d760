package dev.duoka.planner.report;

import dev.duoka.formats.json.Json;
import dev.duoka.planner.advise.Advice;
import dev.duoka.planner.advise.MachineAdvice;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** Advice as one JSON object; docs/planning.md names its fields. */
public final class AdviceJson {
  private AdviceJson() {}

  /** The whole advice. */
  public static ObjectNode of(Advice advice) {
    ObjectNode json = Json.object();
    json.put("model", advice.request().model());
    json.put("parameters", advice.request().shape().parameters());
    json.put("active_parameters", advice.request().shape().activeParameters());
    json.put("task", advice.request().task().toString());
    json.put("tokens", advice.request().tokens());
    json.put("sequence_length", advice.request().sequenceLength());
    PlanJson.put(json, "budget", advice.request().budget());
    json.put("pay", advice.request().payment().toString());
    json.put("prices_as_of", advice.pricesAsOf());
    ArrayNode machines = json.putArray("machines");
    advice.machines().forEach(machine -> machines.add(machine(machine)));
    return json;
  }

  private static ObjectNode machine(MachineAdvice advice) {
    ObjectNode json = Json.object();
    json.set("machine", PlanJson.machine(advice.machine()));
    json.put("fits", advice.fits());
    json.put("affordable", advice.affordable());
    json.put("affordable_to_rent", advice.affordableToRent());
    json.put("affordable_to_buy", advice.affordableToBuy());
    if (advice.plan().isPresent()) {
      json.set("plan", PlanJson.plan(advice.plan().get()));
      json.put("tokens_per_second", Numbers.rounded(advice.plan().get().tokensPerSecond()));
      json.put("hours", Numbers.rounded(advice.hours()));
      json.put("energy_kwh", Numbers.rounded(advice.kilowattHours()));
    } else {
      json.putNull("plan");
      json.putNull("tokens_per_second");
      json.putNull("hours");
      json.putNull("energy_kwh");
    }
    PlanJson.put(json, "usd_rent", advice.rentUsd());
    PlanJson.put(json, "usd_buy", advice.buyUsd());
    json.put("lacks", advice.lacks());
    return json;
  }
}
