/** What a run looks like in a terminal. */
package dev.duoka.cli.console;
