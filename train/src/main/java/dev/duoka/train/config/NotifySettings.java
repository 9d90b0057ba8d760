package dev.duoka.train.config;

import dev.duoka.train.config.binding.Doc;
import java.util.Optional;

/** Section {@code notify}: who hears how a supervised run goes. */
public record NotifySettings(
    @Doc(
            value =
                "A shell command that is run on end, failure, hang, divergence and trouble of"
                    + " cards, with `DUOKA_EVENT`, `DUOKA_RUN` and `DUOKA_TEXT` in its environment."
                    + " It has 30 seconds.",
            whenAbsent = "none")
        Optional<String> command,
    @Doc(
            value =
                "The name of an environment variable that holds the address which messages are"
                    + " posted to. Addresses with tokens do not belong in run files.",
            whenAbsent = "none")
        Optional<String> webhookVariable,
    @Doc(
            value = "The form of what is posted.",
            byDefault = "plain",
            range = "plain, slack, feishu, dingtalk, wecom")
        Webhook form) {
  /** What the receiver of a message is. */
  public enum Webhook {
    /** A JSON object with event, run and text. */
    PLAIN,
    /** Slack. */
    SLACK,
    /** Feishu, or Lark. */
    FEISHU,
    /** DingTalk. */
    DINGTALK,
    /** WeCom. */
    WECOM
  }
}
