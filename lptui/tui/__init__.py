"""How do we show a person? The Textual screen: app, screens, panes, widgets."""
