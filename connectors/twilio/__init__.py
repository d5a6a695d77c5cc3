"""WhatsApp and SMS through Twilio; what differs between them is in `connectors.twilio.whatsapp` and `connectors.twilio.sms`."""
