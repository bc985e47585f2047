"""Settings of Millrace in the words of librdkafka."""

from topics.settings import KafkaSettings

ClientConfig = dict[str, str | int | float | bool]


def client_config(settings: KafkaSettings) -> ClientConfig:
    """What every confluent-kafka client of this process needs to reach the broker."""
    config: ClientConfig = {
        "bootstrap.servers": settings.bootstrap_servers,
        "security.protocol": settings.security_protocol,
        "log_level": 2,
    }
    if settings.uses_login:
        config |= {
            "sasl.mechanisms": settings.sasl_mechanism,
            "sasl.username": settings.sasl_username,
            "sasl.password": settings.sasl_password.get_secret_value(),
        }
    if settings.uses_tls:
        config["ssl.endpoint.identification.algorithm"] = "https"  # the name in the certificate is checked
    if settings.ca_file:
        config["ssl.ca.location"] = settings.ca_file
    if settings.certificate_file:
        config |= {
            "ssl.certificate.location": settings.certificate_file,
            "ssl.key.location": settings.key_file,
            "ssl.key.password": settings.key_password.get_secret_value(),
        }
    return config
