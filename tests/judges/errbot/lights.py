"""A plugin as users of errbot write it."""

from errbot import BotPlugin, botcmd, re_botcmd


class Lights(BotPlugin):
    """Lights."""

    @re_botcmd(pattern=r"toggle (?P<light>\w+) light", prefixed=False)
    def toggle(self, message, match):
        """Switch a light over."""
        return f"{match.group('light')} toggled by {message.frm.nick}"

    @botcmd
    def lights(self, message, args):  # noqa: ARG002  # errbot passes them
        """Show them as a card."""
        self.send_card(title="Lights", body="two", color="green", fields=(("dining", "on"),), in_reply_to=message)
